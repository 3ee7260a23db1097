"""Declarations of placeholders: whether they make sense, and what stands for them while a template is checked."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from app.domain.durations import parse_duration
from app.domain.errors import FieldError, InvalidError
from app.services.workflows.placeholders.values import compact, read_value
from schemas.field_errors import field_errors, under
from schemas.json_types import validated
from schemas.placeholder import MAX_PLACEHOLDERS, Placeholder, Scalar
from schemas.reading import sound_fields

_NUMERIC: Final = frozenset({"number", "integer", "money"})
_SAMPLES: Final[Mapping[str, Scalar]] = {
    "boolean": True,
    "time": "09:00",
    "timezone": "UTC",
    "email": "sample@example.com",
    "phone": "+4930901820",
    "url": "https://example.com/sample",
    "tag": "sample",
    "channel": "sample",
    "message_template": "sample",
    "secret": "SAMPLE",
}
Values = Mapping[str, Scalar | None]


def declared(stored: Iterable[Mapping[str, Any]]) -> list[Placeholder]:
    """Return a stored template's placeholders.

    Raises:
        InvalidError: One was stored, by another program, that is none.
    """
    found: list[Placeholder] = []
    for position, one in enumerate(stored):
        try:
            found.append(Placeholder.model_validate(one))
        except ValidationError as error:
            raise InvalidError(under(f"placeholders[{position}]", field_errors(error, Placeholder))) from None
    # A default that is none of its type, say: no sample could be made of it.
    wrong = declaration_errors(found)
    if wrong:
        raise InvalidError(wrong)
    return found


def as_far_as_sound(raw: Any) -> list[Placeholder]:
    """Return declarations with those of their fields that hold, at their positions; a name or type may be empty."""
    return [
        Placeholder.model_construct(**{"name": "", "type": "", **sound_fields(one, Placeholder)})
        for one in (raw[:MAX_PLACEHOLDERS] if isinstance(raw, list) else ())
    ]


def declaration_errors(placeholders: Sequence[Placeholder]) -> list[FieldError]:
    """Return what is wrong with declarations beyond the shape of their fields."""
    errors: list[FieldError] = []
    names = {""}
    for position, one in enumerate(placeholders):
        if one.name and one.name in names:
            errors.append(FieldError(f"placeholders[{position}].name", "is declared twice"))
        names.add(one.name)
        errors += under(f"placeholders[{position}]", _meaning(one))
    return errors


def sample(placeholder: Placeholder) -> Scalar:
    """Return a value that the placeholder might get: its default where it has one."""
    if placeholder.default is not None:
        return read_value(placeholder, placeholder.default)
    if placeholder.type == "choice" and placeholder.choices:
        return placeholder.choices[0].value
    if placeholder.type in _NUMERIC:
        bound = placeholder.minimum if placeholder.minimum is not None else placeholder.maximum
        return read_value(placeholder, 1 if bound is None else bound)
    if placeholder.type == "duration":
        bound = placeholder.minimum or placeholder.maximum or "1h"
        return compact(parse_duration(bound).total_seconds())
    if placeholder.type == "text":
        return "sample"[: placeholder.max_length].ljust(placeholder.min_length or 0, "x")
    return _SAMPLES[placeholder.type]


def sound_samples(raw: Any) -> list[tuple[Placeholder, Scalar]]:
    """Return the placeholders that are declared as they should be, and a value that each might get."""
    found: list[tuple[Placeholder, Scalar]] = []
    for one in raw[:MAX_PLACEHOLDERS] if isinstance(raw, list) else ():
        try:
            placeholder = validated(one, Placeholder)
        except ValidationError:
            continue
        if not _meaning(placeholder):
            found.append((placeholder, sample(placeholder)))
    return found


def read_values(
    placeholders: Sequence[Placeholder], given: Mapping[str, Any]
) -> tuple[dict[str, Scalar | None], list[FieldError]]:
    """Return every placeholder's value: what is given, or its default, or None where it may be left out.

    Beside them comes what is missing, wrong, or of no placeholder; a sample stands where a value cannot be had.
    """
    errors = [
        FieldError(f"placeholders.{name[:100]}", _unknown(name, placeholders)) for name in _strange(placeholders, given)
    ]
    values: dict[str, Scalar | None] = {}
    for one in placeholders:
        value = given.get(one.name)
        value = one.default if value is None else value
        if value is None:
            values[one.name] = sample(one) if one.required else None
            if one.required:
                errors.append(FieldError(f"placeholders.{one.name}", f"is needed: {one.label}"))
            continue
        try:
            values[one.name] = read_value(one, value)
        except ValueError as error:
            errors.append(FieldError(f"placeholders.{one.name}", str(error)))
            values[one.name] = sample(one)
    return values, errors


def _strange(placeholders: Sequence[Placeholder], given: Mapping[str, Any]) -> list[str]:
    names = {one.name for one in placeholders}
    return [name for name in given if name not in names]


def _unknown(name: str, placeholders: Sequence[Placeholder]) -> str:
    names = [one.name for one in placeholders]
    near = difflib.get_close_matches(name[:100], names, n=1)
    if near:
        return f"is no placeholder of this template; did you mean {near[0]}?"
    known = f"; there are {', '.join(names)}" if names else ", which has none"
    return f"is no placeholder of this template{known}"


def _meaning(one: Placeholder) -> list[FieldError]:
    if not one.type:
        return []
    errors = _misplaced(one)
    if one.type == "choice" and one.choices is None:
        errors.append(FieldError("choices", "is needed for a choice"))
    if errors:
        return errors
    errors = _bounds(one)
    if not errors and one.default is not None:
        try:
            read_value(one, one.default)
        except ValueError as error:
            errors = [FieldError("default", str(error))]
    return errors


def _misplaced(one: Placeholder) -> list[FieldError]:
    bounded = one.type in _NUMERIC or one.type == "duration"
    allowed = {
        "minimum": bounded,
        "maximum": bounded,
        "min_length": one.type == "text",
        "max_length": one.type == "text",
        "choices": one.type == "choice",
        "currency": one.type == "money",
    }
    return [
        FieldError(field, f"says nothing about a {one.type}")
        for field, fits in allowed.items()
        if not fits and getattr(one, field) is not None
    ]


def _bounds(one: Placeholder) -> list[FieldError]:
    errors: list[FieldError] = []
    free = one.model_copy(update={"minimum": None, "maximum": None})
    for field in ("minimum", "maximum"):
        bound = getattr(one, field)
        try:
            if bound is not None:
                read_value(free, bound)
        except ValueError as error:
            errors.append(FieldError(field, str(error)))
    if not errors and one.minimum is not None and one.maximum is not None:
        try:
            read_value(free.model_copy(update={"minimum": one.minimum}), one.maximum)
        except ValueError:
            errors.append(FieldError("maximum", "is less than the minimum"))
    if one.min_length is not None and one.max_length is not None and one.min_length > one.max_length:
        errors.append(FieldError("max_length", "is less than min_length"))
    return errors
