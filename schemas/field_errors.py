"""Pydantic's errors as our own: paths as people write them (``actions[1].config.url``), no input echoed."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from pydantic import ValidationError

from app.domain.errors import FieldError

_PREFIX: Final = "Value error, "
# More than a problem document lists, so that it can say how many there are.
MAX_ERRORS: Final = 1_000
_MAX_PART_CHARS: Final = 100


def field_errors(error: ValidationError) -> list[FieldError]:
    """Translate a validation error, one entry per wrong field; the last may say how many more there are."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    told = [FieldError(path_text(detail["loc"]), _message(detail["msg"])) for detail in islice(details, MAX_ERRORS)]
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


def _message(text: str) -> str:
    plain = text.removeprefix(_PREFIX)
    return plain[:1].lower() + plain[1:]
