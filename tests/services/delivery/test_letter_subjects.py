"""What a dead letter says it is about: event id, source and entity, as far as the record still tells."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.delivery.letter_subjects import MAX_NAMED_CHARS, About, about
from tests.support.records import FakeRecord, cloud_event

EVENT = orjson.dumps(cloud_event())
SAID = About("e-1", "/shop", "c1")
BINARY = [("ce_specversion", b"1.0"), ("ce_id", b"e-1"), ("CE_source", b"/shop"), ("ce_subject", b"c1")]


def of(value: bytes | None, key: bytes | None = None, headers: Any = ()) -> About:
    """What a record is about."""
    return about(FakeRecord(value, key=key, headers=headers))


@pytest.mark.parametrize(
    "value",
    [
        EVENT,
        EVENT[:-40],
        EVENT.replace(b"120", b"NaN"),
        EVENT.replace(b'"Ana"', b'"\\ud800"'),
        EVENT.replace(b'"Ana"', b'"\xff\xfe"'),
        EVENT.replace(b"120", b"[" * 10_000 + b"]" * 10_000),
        EVENT.replace(b"120", b'{"id":' * 10_000 + b"1" + b"}" * 10_000),
        EVENT.replace(b'"specversion":"1.0"', b'"extra":null,"specversion":[{"id":"no"}]'),
    ],
    ids=["whole", "cut off", "NaN", "lone surrogate", "not UTF-8", "arrays", "objects", "odd fields"],
)
def test_an_event_is_made_out_whatever_is_wrong_with_it(value: bytes) -> None:
    """Whole or broken, its own id, source and subject are found, and not those of something inside of it."""
    assert of(value) == SAID


def test_an_event_in_binary_mode_is_made_out_by_its_headers() -> None:
    """Even where the value is no JSON; the record's key comes before all else as the entity."""
    assert of(b"{", headers=BINARY) == SAID
    assert of(b"{", b"k", BINARY).entity == "k"
    assert of(None, headers=BINARY) == SAID


@pytest.mark.parametrize("field", ["partitionkey", "subject", "data"])
def test_the_entity_is_found_where_the_matcher_looks(field: str) -> None:
    """The key, ``partitionkey``, ``subject``, the customer's id."""
    order = {"partitionkey": "p", "subject": "s", "data": {"customer": {"id": 7}}}
    names = list(order)
    kept = {name: order[name] for name in names[names.index(field) :]}
    expected = {"partitionkey": "p", "subject": "s", "data": "7"}[field]
    assert of(orjson.dumps({"id": "e", **kept})).entity == expected


def test_commands_and_executions_are_about_their_event() -> None:
    """The id is the event's, not the slip's; the entity is its own."""
    slip = {"execution_id": "x", "id": "no", "entity": "c9", "event": cloud_event()}
    assert of(orjson.dumps(slip)) == About("e-1", "/shop", "c9")


def test_what_it_says_can_be_stored_and_indexed() -> None:
    """NUL and lone surrogates are escaped, long texts cut, numbers are text; anything else is nothing."""
    assert of(b'{"id": "a\\u0000b\\ud800", "source": 17, "subject": true}') == About("a\\x00b\\ud800", "17", None)
    assert of(orjson.dumps({"id": "x" * 5000})).event_id == "x" * MAX_NAMED_CHARS
    assert of(b'{"id": ' + b"9" * 4000 + b"}").event_id is None


@given(value=st.none() | st.binary(max_size=80) | st.text('{}[]":,\\a1. ', max_size=60).map(str.encode))
def test_whatever_bytes_there_are_nothing_is_raised(value: bytes | None) -> None:
    """A letter must be written of anything."""
    said = of(value, value, [("ce_id", value), ("ce_source", value)])
    for name in (said.event_id, said.source, said.entity):
        assert name is None or ("\x00" not in name and len(name.encode()) <= 4 * MAX_NAMED_CHARS)
