"""What is said of a wrong field is in words: no class of ours, no library's phrase, no regular expression."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.admin.routes import OPERATIONS
from schemas.channel import ChannelDraft
from schemas.field_errors import PATTERNS, field_errors
from schemas.workflow import WorkflowDraft
from tests.schemas.test_json_types import MODELS

READ: Final = [*MODELS, *{one.query.__name__: one.query for one in OPERATIONS if one.query}.values()]
INTERNAL: Final = re.compile(
    r"instance of|UUID input|pattern '|dictionary|valid list|Decimal object|[\\^$]\w*\[", re.IGNORECASE
)
WRONG: Final[tuple[Any, ...]] = (7, "", " ", "é {{", [7], {"é": 7}, True, None)


def patterns(schema: Any) -> Iterator[str]:
    """Every regular expression that a model judges by; that of a JSON Schema may stand for a check in words."""
    inside = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list | tuple) else ()
    for value in inside:
        yield from patterns(value)
    if isinstance(schema, dict) and schema.get("type") == "str" and "pattern" in schema:
        yield schema["pattern"]


@pytest.mark.parametrize("model", READ, ids=lambda model: model.__name__)
def test_every_message_is_in_words(model: type[BaseModel]) -> None:
    """Of each field of each body, query and config, whatever stands there instead of what should."""
    for written in (*(dict.fromkeys(names(model), wrong) for wrong in WRONG), *WRONG):
        try:
            model.model_validate(written)
        except ValidationError as error:
            said = [one.message for one in field_errors(error, model)]
            assert [one for one in said if INTERNAL.search(one)] == []


@pytest.mark.parametrize("model", READ, ids=lambda model: model.__name__)
def test_every_regular_expression_is_said_in_words(model: type[BaseModel]) -> None:
    """A new one belongs into the table."""
    assert set(patterns(TypeAdapter(model).core_schema)) <= PATTERNS.keys()


def names(model: type[BaseModel]) -> list[str]:
    """What a model's fields are written by."""
    return [field.alias or name for name, field in model.model_fields.items()]


@pytest.mark.parametrize("name", ["active", "activ", "Active"])
def test_active_is_said_elsewhere(name: str) -> None:
    """Files have it, for the command line switches by it; the API is told where that is done."""
    with pytest.raises(ValidationError) as caught:
        WorkflowDraft.model_validate({"name": "a", "trigger": {"type": "order.paid"}, "actions": [], name: True})
    said = {one.path: one.message for one in field_errors(caught.value, WorkflowDraft)}[name]
    assert "/activate" in said
    assert "actions meant" not in said


@pytest.mark.parametrize(
    ("url", "said"),
    [("", "must have at least 1 character"), ("x" * 4097, "must have at most 4096 characters")],
    ids=["short", "long"],
)
def test_the_length_of_a_secret_is_told_in_characters(url: str, said: str) -> None:
    """It is a text, though not one that may be quoted."""
    with pytest.raises(ValidationError) as raised:
        ChannelDraft.model_validate({"name": "team", "url": url})
    assert [(one.path, one.message) for one in field_errors(raised.value, ChannelDraft)] == [("url", said)]


def test_the_length_of_a_list_is_told_in_items() -> None:
    """In our words, and not as what is left after something was done to it."""
    draft = {"name": "a", "trigger": {"type": "order.paid"}, "conditions": [{}] * 101, "actions": [{}] * 101}
    with pytest.raises(ValidationError) as raised:
        WorkflowDraft.model_validate(draft)
    said = {one.path: one.message for one in field_errors(raised.value, WorkflowDraft)}
    assert (said["conditions"], said["actions"]) == ("must have at most 100 items", "must have at most 50 items")
