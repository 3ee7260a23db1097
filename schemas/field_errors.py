"""Pydantic's errors as our own: paths as people write them (``actions[1].config.url``), no input echoed."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError

from app.domain.errors import FieldError
from app.domain.nearest import meant, nearest
from schemas.known_fields import known_fields

_PREFIX: Final = "Value error, "
# More than a problem document lists, so that it can say how many there are.
MAX_ERRORS: Final = 1_000
# As many as a problem document lists; comparing costs.
_COMPARED: Final = 100
_MAX_PART_CHARS: Final = 100


def field_errors(error: ValidationError, model: Any) -> list[FieldError]:
    """Translate a validation error, one entry per wrong field; the last may say how many more there are.

    Args:
        error: What the validation raised.
        model: What was validated by, whose fields a misspelt key is compared with.
    """
    details = error.errors(include_url=False, include_context=False)
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
        return f"is not known here{meant(str(name), known_fields(model, place) if model else ())}"
    if detail["type"] != "missing":
        return _message(detail["msg"])
    given = detail["input"] if model and isinstance(detail["input"], Mapping) else {}
    known = frozenset(known_fields(model, place)) if given else frozenset()
    near = nearest(str(name), (key for key in given if key not in known))
    return f"is missing: is {near[:_MAX_PART_CHARS]} meant for it?" if near else "is missing"


def _message(text: str) -> str:
    plain = text.removeprefix(_PREFIX)
    return plain[:1].lower() + plain[1:]
