"""The JSON Schema of a template's placeholders, so that a form can be made of it."""

from collections.abc import Sequence
from typing import Any, Final

from app.services.workflows.placeholders.values import as_text
from schemas.placeholder import MAX_TEXT_CHARS, Placeholder

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": "string", "maxLength": MAX_TEXT_CHARS},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "money": {"type": ["number", "string"], "pattern": r"^-?[0-9]+(\.[0-9]{1,2})?$"},
    "boolean": {"type": "boolean"},
    "duration": {"type": ["string", "number"], "examples": ["15m", "2h", "3 days"]},
    "time": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    "timezone": {"type": "string", "examples": ["Europe/Berlin"]},
    "choice": {},
    "email": {"type": "string", "format": "email"},
    "phone": {"type": "string", "examples": ["+49 30 901820"]},
    "url": {"type": "string", "format": "uri", "pattern": "^https?://"},
    "tag": {"type": "string", "minLength": 1, "maxLength": 100},
    "channel": {"type": "string", "minLength": 1, "maxLength": 100},
    "message_template": {"type": "string", "minLength": 1, "maxLength": 100},
    "secret": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]{0,63}$"},
}
_BOUNDS: Final = {"min_length": "minLength", "max_length": "maxLength"}


def form_schema(name: str, placeholders: Sequence[Placeholder]) -> dict[str, Any]:
    """Return the schema of the object that ``placeholders`` is, when the template called ``name`` is applied."""
    return {
        "$schema": _DIALECT,
        "title": name,
        "type": "object",
        "properties": {one.name: _property(one) for one in placeholders},
        "required": [one.name for one in placeholders if one.required and one.default is None],
        "additionalProperties": False,
    }


def _property(one: Placeholder) -> dict[str, Any]:
    schema: dict[str, Any] = {"title": one.label, "x-widget": one.type, **_TYPES[one.type]}
    if one.help:
        schema["description"] = one.help
    if one.default is not None:
        schema["default"] = one.default
    if one.currency:
        schema["x-currency"] = one.currency
    if one.type == "choice":
        schema["oneOf"] = [
            {"const": choice.value, "title": choice.label or as_text(one, choice.value)} for choice in one.choices or ()
        ]
    for field, keyword in _BOUNDS.items():
        if getattr(one, field) is not None:
            schema[keyword] = getattr(one, field)
    for field in ("minimum", "maximum"):
        bound = getattr(one, field)
        if bound is not None:
            # Lengths of time have no order in JSON Schema; a form can still tell.
            schema[field if isinstance(bound, int | float) and one.type != "duration" else f"x-{field}"] = bound
    return schema
