"""Pydantic's errors as our own: paths as people write them (``actions[1].config.url``), no input echoed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError

from app.domain.errors import FieldError
from app.domain.nearest import meant, nearest
from app.domain.reentry import PATTERN as REENTRY_PATTERN
from schemas.known_fields import known_fields
from schemas.message_template import NAME_PATTERN
from schemas.placeholder import NAME as PLACEHOLDER

_PREFIX: Final = "Value error, "
# More than a problem document lists, so that it can say how many there are.
MAX_ERRORS: Final = 1_000
# As many as a problem document lists; comparing costs.
_COMPARED: Final = 100
_MAX_PART_CHARS: Final = 100

_OBJECT: Final = "must be an object"
_ARRAY: Final = "must be an array"
_UUID: Final = "must be a UUID, such as 123e4567-e89b-42d3-a456-426614174000"
_DECIMAL: Final = "must be a number, or a text that is one"
# Where Pydantic's words are of Python, or of its own classes.
IN_WORDS: Final[Mapping[str, str]] = {
    "decimal_parsing": _DECIMAL,
    "decimal_type": _DECIMAL,
    "dict_type": _OBJECT,
    "frozen_set_type": _ARRAY,
    "list_type": _ARRAY,
    "mapping_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "model_type": _OBJECT,
    "set_type": _ARRAY,
    "tuple_type": _ARRAY,
    "uuid_parsing": _UUID,
    "uuid_type": _UUID,
    "uuid_version": _UUID,
}
# What a regular expression asks for; a test looks for those that are missing here.
PATTERNS: Final[Mapping[str, str]] = {
    r"\S": "must not be blank",
    r"^[A-Z]{3}$": "must be three capital letters, such as EUR",
    r"^[\x20-\x7e]*$": "must be printable ASCII characters",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "must be small letters and digits, with - between them",
    r"^[a-z0-9_]{1,512}$": "must be 1 to 512 small letters, digits and underscores",
    r"^[a-z]{2,3}(_[A-Z]{2,3})?$": "must be a language as at Meta, such as en or en_US",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "must be a time of day as HH:MM, such as 09:30",
    r"^(live|draft|[1-9][0-9]{0,9})$": "must be a version's number, live, or draft",
    NAME_PATTERN: "must be small letters and digits, with . _ - between them",
    REENTRY_PATTERN: 'must be "always", "once", or "once per" a duration, such as once per 7 days',
    rf"^{PLACEHOLDER}$": "must be small letters, digits and underscores, a letter first, 50 at most",
}
# Of a text that is kept secret Pydantic counts items, as if it were a list.
_LENGTHS: Final[Mapping[str, Callable[[Mapping[str, Any], str], str]]] = {
    "too_long": lambda bound, unit: f"must have at most {_counted(bound['max_length'], unit)}",
    "too_short": lambda bound, unit: f"must have at least {_counted(bound['min_length'], unit)}",
}
_OTHER_FORM: Final = "has another form than is asked for"


def field_errors(error: ValidationError, model: Any) -> list[FieldError]:
    """Translate a validation error, one entry per wrong field; the last may say how many more there are.

    Args:
        error: What the validation raised.
        model: What was validated by, whose fields a misspelt key is compared with.
    """
    details = error.errors(include_url=False)
    told = [
        FieldError(path_text(detail["loc"]), _said(detail, model if number < _COMPARED else None))
        for number, detail in enumerate(islice(details, MAX_ERRORS))
    ]
    more = len(details) - len(told)
    return [*told, FieldError("", f"and {more} more fields are wrong")] if more else told


def path_text(parts: Iterable[int | str]) -> str:
    """Join parts of a path: names by dots, positions in brackets; of a name that is long, its beginning."""
    text = ""
    for part in (part if isinstance(part, int) else part[:_MAX_PART_CHARS] for part in parts):
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def under(prefix: str, errors: Sequence[FieldError]) -> list[FieldError]:
    """The same errors, seen from one level further out."""
    return [FieldError(_join(prefix, error.path), error.message) for error in errors]


def _join(prefix: str, path: str) -> str:
    return f"{prefix}{path}" if not path or path.startswith("[") else f"{prefix}.{path}"


def _said(detail: Mapping[str, Any], model: Any) -> str:
    """Say what is wrong; of a key that is unknown or missing, which one is meant by it or for it."""
    *place, name = detail["loc"] or ("",)
    if detail["type"] == "extra_forbidden":
        return _unknown(str(name), place, model)
    if detail["type"] == "string_pattern_mismatch":
        return PATTERNS.get(detail["ctx"]["pattern"], _OTHER_FORM)
    if detail["type"] in _LENGTHS:
        return _LENGTHS[detail["type"]](detail["ctx"], "character" if isinstance(detail["input"], str) else "item")
    if detail["type"] != "missing":
        return IN_WORDS.get(detail["type"]) or _message(detail["msg"])
    given = detail["input"] if model and isinstance(detail["input"], Mapping) else {}
    known = frozenset(known_fields(model, place)) if given else frozenset()
    near = nearest(str(name), (key for key in given if key not in known))
    return f"is missing: is {near[:_MAX_PART_CHARS]} meant for it?" if near else "is missing"


def _unknown(name: str, place: Sequence[int | str], model: Any) -> str:
    """Say of an unknown key which one is meant, or where else it is said what it says."""
    known = known_fields(model, place) if model else ()
    elsewhere: Mapping[str, str] = {} if place else getattr(model, "SAID_ELSEWHERE", {})
    near = nearest(name, (*elsewhere, *known)) if elsewhere else ""
    return f"is not known here: {elsewhere[near]}" if near in elsewhere else f"is not known here{meant(name, known)}"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'s' * (count != 1)}"


def _message(text: str) -> str:
    plain = text.removeprefix(_PREFIX)
    return plain[:1].lower() + plain[1:]
