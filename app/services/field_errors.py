"""Pydantic's errors as our own: paths as people write them (``actions[1].config.url``), no input echoed."""

from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from app.domain.errors import FieldError

_PREFIX = "Value error, "


def field_errors(error: ValidationError) -> list[FieldError]:
    """Translate a validation error, one entry per wrong field."""
    return [FieldError(path_text(detail["loc"]), _message(detail["msg"])) for detail in error.errors(include_url=False)]


def path_text(parts: Iterable[int | str]) -> str:
    """Join parts of a path: names by dots, positions in brackets."""
    text = ""
    for part in parts:
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
