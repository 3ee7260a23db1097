"""The fields that a model knows at a place, read from its JSON Schema: what a misspelt key is compared with."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter

_REF: Final = "#/$defs/"


def known_fields(model: Any, place: Sequence[int | str]) -> list[str]:
    """Return the names of the fields of the object at a place, such as ``("actions", 1)``; none where there is none."""
    schema = _schema(model)
    here = [schema]
    for part in place:
        here = [below for one in here for below in _below(schema, one, part)]
    return [name for one in here for member in _members(schema, one) for name in member.get("properties", ())]


@lru_cache(maxsize=128)
def _schema(model: Any) -> dict[str, Any]:
    return TypeAdapter(model).json_schema(by_alias=True)


def _members(root: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a value may be: the schema itself, what it refers to, and the members of a union."""
    if "$ref" in schema:
        yield from _members(root, root["$defs"][schema["$ref"].removeprefix(_REF)])
        return
    yield schema
    for member in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _members(root, member)


def _below(root: dict[str, Any], schema: dict[str, Any], part: int | str) -> Iterator[dict[str, Any]]:
    for member in _members(root, schema):
        below = member.get("items") if isinstance(part, int) else member.get("properties", {}).get(part)
        if isinstance(below, dict):
            yield below
