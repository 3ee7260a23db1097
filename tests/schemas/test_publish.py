"""The published JSON Schemas are those of the contracts, and hold what the contracts write."""

import jsonschema
import orjson
import pytest

from schemas.publish import CONTRACTS, FOLDER, encoded, schema_of
from tests.support.records import cloud_event
from tests.support.slips import action, command


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_published_schema_is_up_to_date(name: str) -> None:
    """`make schemas` was run after the last change of a contract."""
    assert (FOLDER / f"{name}.json").read_bytes() == encoded(name), "run `make schemas`"


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_schema_is_one(name: str) -> None:
    """Each file is a valid JSON Schema 2020-12 with an id of its own."""
    jsonschema.Draft202012Validator.check_schema(schema_of(name))


def test_what_we_write_fits_what_we_publish() -> None:
    """A command on the wire and an event validate against their published schemas."""
    jsonschema.validate(orjson.loads(command(action(tag="vip")).encode()), schema_of("command"))
    jsonschema.validate(cloud_event(), schema_of("event"))
