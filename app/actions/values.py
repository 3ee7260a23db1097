"""Checks on rendered values: each failure is permanent and names the field.

Rendered text comes from events, so anything can be in it. What our own Postgres, a mail header or a request line
cannot carry is found here, before anything happens.
"""

import re
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

from app.domain.errors import ActionFailedError
from app.domain.phones import parse_phone
from app.domain.times import EPOCH, parse_relative, parse_time
from app.domain.visible import is_visible

MAX_CUSTOMER_ID_CHARS: Final = 256
MAX_TAG_CHARS: Final = 100
MAX_ASSIGNEE_CHARS: Final = 256
MAX_MOMENT_CHARS: Final = 64
MAX_PHONE_CHARS: Final = 40
_MAX_QUOTED: Final = 100
_LINE_BREAK: Final = re.compile("[\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


def refuse(field: str, why: str) -> NoReturn:
    """Fail the action for good over one field.

    Raises:
        ActionFailedError: Always; permanent.
    """
    raise ActionFailedError(f"{field}: {why}", permanent=True)


def text(field: str, value: Any, *, max_chars: int | None = None, max_bytes: int | None = None) -> str:
    """Return ``value`` if it is text that Postgres and UTF-8 can hold, within the limits.

    Raises:
        ActionFailedError: No text, a NUL character, a lone surrogate, or too long.
    """
    if not isinstance(value, str):
        refuse(field, f"must be text, not {type(value).__name__}")
    if "\x00" in value:
        refuse(field, "holds a NUL character")
    size = _utf8_size(field, value)
    _within(field, value, max_chars)
    if max_bytes is not None and size > max_bytes:
        refuse(field, f"has {size} bytes; at most {max_bytes} are allowed")
    return value


def line(field: str, value: Any, *, max_chars: int) -> str:
    """Return ``value``, stripped, if it is text on a single line; it may be empty.

    Raises:
        ActionFailedError: As ``text``, or a line break within.
    """
    stripped = text(field, value).strip()
    if _LINE_BREAK.search(stripped):
        refuse(field, "holds a line break")
    return _within(field, stripped, max_chars)


def filled_line(field: str, value: Any, *, max_chars: int) -> str:
    """Return ``value``, stripped, if it is text on a single line of which something can be seen.

    Raises:
        ActionFailedError: As ``line``, or nothing in it.
    """
    checked = line(field, value, max_chars=max_chars)
    return checked if is_visible(checked) else refuse(field, "is empty")


def filled_text(field: str, value: Any, *, max_chars: int | None = None, max_bytes: int | None = None) -> str:
    """Return ``value`` if it is text of which something can be seen; it may have several lines.

    Raises:
        ActionFailedError: As ``text``, or nothing in it.
    """
    checked = text(field, value, max_chars=max_chars, max_bytes=max_bytes)
    return checked if is_visible(checked) else refuse(field, "is empty")


def quoted(value: str, *, quote: bool) -> str:
    """Return what an error says of a rendered text: its beginning, or nothing of it where a secret may be in it."""
    return f"{value[:_MAX_QUOTED]!r}" if quote else "what it rendered to"


def phone(field: str, value: Any, *, quote: bool) -> str:
    """Return a rendered phone number in E.164, without separators.

    Args:
        field: The field's name, for errors.
        value: What the field rendered to.
        quote: Whether an error may quote it; not where a secret may be in it.

    Raises:
        ActionFailedError: The value is no phone number, or names no country.
    """
    written = filled_line(field, value, max_chars=MAX_PHONE_CHARS)
    return parse_phone(written) or refuse(
        field, f"{quoted(written, quote=quote)} is no phone number such as +4930123456"
    )


def customer_id(field: str, value: Any) -> str:
    """Return a rendered customer's id, checked.

    Raises:
        ActionFailedError: Empty, too long or not text on one line.
    """
    return filled_line(field, value, max_chars=MAX_CUSTOMER_ID_CHARS)


def tag(field: str, value: Any) -> str:
    """Return a rendered tag, checked.

    Raises:
        ActionFailedError: Empty, too long or not text on one line.
    """
    return filled_line(field, value, max_chars=MAX_TAG_CHARS)


def moment(field: str, value: Any) -> datetime:
    """Return a rendered time: ISO 8601, UTC where it names no offset.

    Raises:
        ActionFailedError: The value is no time.
    """
    written = filled_line(field, value, max_chars=MAX_MOMENT_CHARS)
    found = parse_time(written)
    if found is None:
        refuse(field, f"{written!r} is no time such as 2026-03-01T09:30:00+02:00")
    return EPOCH + timedelta(microseconds=found // 1000)


def is_distance(value: str) -> bool:
    """Tell whether a time is written as a distance from now."""
    try:
        parse_relative(value.strip())
    except ValueError:
        return False
    return True


def later(field: str, value: Any, now: datetime) -> datetime:
    """Return a rendered time, which may also be a distance from now such as ``+2h`` or ``3d``.

    Raises:
        ActionFailedError: It is neither.
    """
    written = filled_line(field, value, max_chars=MAX_MOMENT_CHARS)
    try:
        return now + timedelta(microseconds=parse_relative(written) // 1000)
    except ValueError:
        return moment(field, written)


def optional_later(field: str, value: Any, now: datetime) -> datetime | None:
    """Return as ``later`` does; None where the field was left out or rendered to nothing.

    Raises:
        ActionFailedError: As ``later``.
    """
    written = optional_line(field, value, max_chars=MAX_MOMENT_CHARS)
    return None if written is None else later(field, written, now)


def optional_line(field: str, value: Any, *, max_chars: int) -> str | None:
    """Return as ``line`` does; None where the field was left out or rendered to nothing.

    Raises:
        ActionFailedError: As ``line``.
    """
    return None if value is None else line(field, value, max_chars=max_chars) or None


def _within(field: str, value: str, max_chars: int | None) -> str:
    if max_chars is not None and len(value) > max_chars:
        refuse(field, f"has {len(value)} characters; at most {max_chars} are allowed")
    return value


def _utf8_size(field: str, value: str) -> int:
    if value.isascii():
        return len(value)
    try:
        return len(value.encode())
    except UnicodeEncodeError:
        refuse(field, "holds a lone surrogate, which UTF-8 cannot carry")
