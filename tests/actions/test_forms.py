"""What forms are made of: every type and each of its fields says what it is, for who has never seen JSON."""

import re
from typing import Any, Final

import pytest

from app.actions.base import AnyAction
from app.actions.registry import REGISTRY

_HEADINGS: Final = {"Messages", "Customer", "Work", "Flow"}
_NAMED: Final = re.compile(r"\{(\w+)\}")
ALL: Final = list(REGISTRY)


def schema_of(action: AnyAction) -> dict[str, Any]:
    """Return the JSON Schema of a type's config."""
    schema: dict[str, Any] = action.config.model_json_schema()
    return schema


def test_there_are_as_many_types_as_are_looked_at() -> None:
    """So that none is left out of what follows."""
    assert len(ALL) == 14


@pytest.mark.parametrize("action", ALL, ids=lambda one: one.name)
def test_every_field_has_a_title_and_says_what_goes_into_it(action: AnyAction) -> None:
    """A title of its own, not the name in JSON, and a sentence."""
    for name, field in schema_of(action)["properties"].items():
        assert field["title"] != name, name
        assert "_" not in field["title"], name
        assert field["x-help"].endswith("."), name
        assert field["title"] != field["x-help"].rstrip("."), name


@pytest.mark.parametrize("action", ALL, ids=lambda one: one.name)
def test_every_type_says_what_it_does(action: AnyAction) -> None:
    """As an order, with a sentence on when it is used, an icon, and its place in the menu."""
    schema = schema_of(action)
    assert not schema["title"].endswith("Config")
    assert schema["x-help"].endswith(".")
    assert schema["x-icon"]
    assert schema["x-family"] in _HEADINGS


@pytest.mark.parametrize("action", ALL, ids=lambda one: one.name)
def test_what_a_form_names_is_there(action: AnyAction) -> None:
    """Summaries and choices name fields of the type, and no field is in two ways of one choice."""
    schema = schema_of(action)
    fields = set(schema["properties"])
    named = {name for sentence in schema["x-summary"] for name in _NAMED.findall(sentence)}
    assert schema["x-summary"]
    assert named <= fields
    for choice in schema.get("x-choices", []):
        ways = [set(way["fields"]) for way in choice["ways"]]
        assert len(ways) > 1
        assert set().union(*ways) <= fields
        assert sum(map(len, ways)) == len(set().union(*ways))


@pytest.mark.parametrize("action", ALL, ids=lambda one: one.name)
def test_every_member_of_an_enumeration_has_words(action: AnyAction) -> None:
    """But for those that are words of their own, such as HTTP's methods."""
    for name, field in schema_of(action)["properties"].items():
        for member in field.get("enum", []):
            assert member.isupper() or field["x-labels"][member], name
