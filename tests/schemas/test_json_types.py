"""A true, an integer and a text are not taken for one another, in whatever somebody sends."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import pytest
from pydantic import BaseModel, Field

from app.actions.configs import compile_action, validate_config
from app.actions.registry import REGISTRY
from app.admin.routes import OPERATIONS
from app.domain.errors import FieldError, InvalidError
from schemas.field_errors import path_text
from schemas.json_types import validated
from schemas.reading import read_whole, sound_fields
from schemas.trigger_configs import TRIGGER_CONFIGS

# What Pydantic takes for one unless told otherwise.
TAKEN_FOR: Final[dict[str, tuple[Any, ...]]] = {
    "boolean": ("true", "yes", 1, 1.0),
    "integer": (True, "5"),
    "number": (True,),
    "moment": (0, 1.5, "1767225600"),
}
# Kept as it comes: any attribute of an event, any field of a customer.
MODELS: Final = sorted(
    {
        *(model for one in OPERATIONS if one.body for model, _ in one.body.models.values()),
        *TRIGGER_CONFIGS.values(),
        *(action.config for action in REGISTRY),
    },
    key=lambda model: f"{model.__module__}.{model.__qualname__}",
)
Place = tuple[int | str, ...]


def typed_places(root: dict[str, Any], schema: dict[str, Any], place: Place = ()) -> Iterator[tuple[Place, set[str]]]:
    """Where a model's JSON Schema asks for a type that something else is taken for, and what may stand there."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    members = [
        root["$defs"][one["$ref"].removeprefix("#/$defs/")] if "$ref" in one else one for one in schema.get("anyOf", ())
    ] or [schema]
    types = {"moment" if one.get("format") == "date-time" else one["type"] for one in members if "type" in one}
    if types & TAKEN_FOR.keys():
        yield place, types
    for one in members:
        for name, below in one.get("properties", {}).items():
            yield from typed_places(root, below, (*place, name))
        if isinstance(one.get("items"), dict):
            yield from typed_places(root, one["items"], (*place, 0))


def holding(place: Place, value: Any) -> Any:
    """A document with a value at a place."""
    for part in reversed(place):
        value = [value] if isinstance(part, int) else {part: value}
    return value


def wrong_for(types: set[str]) -> list[Any]:
    """What none of the types is."""
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number"}
    wrong = [value for kind in types & TAKEN_FOR.keys() for value in TAKEN_FOR[kind]]
    return [
        value
        for value in wrong
        if kinds[type(value)] not in types and not (type(value) is int and "number" in types)
    ]  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_field_of_a_body_takes_one_type_for_another(model: type[BaseModel]) -> None:
    """Each body of each operation, each trigger's config, each action's: named by its path, wherever it is nested."""
    schema = model.model_json_schema(by_alias=True)
    for place, types in typed_places(schema, schema):
        for value in wrong_for(types):
            with pytest.raises(InvalidError) as caught:
                read_whole(holding(place, value), model, lambda _: ())
            at = path_text(place)
            assert any(one.path == at or one.path.startswith(f"{at}.") for one in caught.value.errors), (at, value)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_that_is_an_integer_takes_a_whole_number(model: type[BaseModel]) -> None:
    """JSON has no integers: 5.0 is one, and 5.5 is refused as none, wherever one is asked for."""
    schema = model.model_json_schema(by_alias=True)
    places = [place for place, types in typed_places(schema, schema) if "integer" in types and "number" not in types]

    def said_of(place: Place, value: float) -> list[str]:
        at = path_text(place)
        errors: list[FieldError] = []
        try:
            read_whole(holding(place, value), model, lambda _: ())
        except InvalidError as error:
            errors = error.errors
        return [one.message for one in errors if one.path == at or one.path.startswith(f"{at}.")]

    for place in places:
        assert said_of(place, 5.0) == said_of(place, 5), place
        assert any("integer" in said for said in said_of(place, 5.5)), place
        assert said_of(place, 2.0**60), place


class Counted(BaseModel):
    """Something with a number."""

    number: Annotated[int, Field(ge=1)] = 1


def test_the_model_itself_goes_on_reading_what_is_stored() -> None:
    """Strict is what somebody sends; a field that is wrong is none of the sound ones."""
    assert Counted.model_validate({"number": "5"}).number == 5
    assert validated({"number": 5}, Counted).number == 5
    assert repr(validated({"number": 5.0}, Counted).number) == "5"
    assert sound_fields({"number": "5"}, Counted) == {}


def test_an_action_that_was_saved_so_goes_on_running() -> None:
    """Refused when it is saved, compiled when it runs."""
    config = {"url": "https://example.com/hook", "follow_redirects": "yes", "timeout_s": "5"}
    assert {one.path for one in validate_config("webhook", config)} == {"config.follow_redirects", "config.timeout_s"}
    assert compile_action("webhook", config)
