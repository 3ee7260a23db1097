"""Keyset pages: a position in a list ordered newest first, and the opaque cursor that carries it to the next call.

A page starts after a row, not at a number, so rows that arrive meanwhile neither repeat nor hide the rest.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

from app.domain.errors import FieldError, InvalidError
from app.domain.times import is_readable

T = TypeVar("T")

_SEPARATOR: Final = "|"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a row stands: its time, and its id where times are equal."""

    at: datetime
    id: UUID

    def cursor(self) -> str:
        """Return the position as an opaque token, safe in a URL."""
        text = f"{self.at.isoformat()}{_SEPARATOR}{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class NamePosition:
    """Where a row stands in a list ordered by name: its name, and its id where names are equal."""

    name: str
    id: UUID

    def cursor(self) -> str:
        """Return the position as an opaque token, safe in a URL."""
        text = f"{self.id}{_SEPARATOR}{self.name}"
        return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows of one page, and the cursor of the next; None at the end."""

    items: Sequence[T]
    next_cursor: str | None


def read_cursor(cursor: str | None) -> Position | None:
    """Read a token that ``Position.cursor`` made.

    Raises:
        InvalidError: It is no such token.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, _, row_id = (
            base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(_SEPARATOR)
        )
        at = datetime.fromisoformat(moment)
        position = Position(at, UUID(row_id))
    except (binascii.Error, ValueError):
        position = None
    if position is None or position.at.tzinfo is None or not is_readable(position.at):
        raise InvalidError([FieldError("cursor", "is no next_cursor of an earlier answer")])
    return position


def read_name_cursor(cursor: str | None) -> NamePosition | None:
    """Read a token that ``NamePosition.cursor`` made.

    Raises:
        InvalidError: It is no such token.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        row_id, _, name = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(_SEPARATOR)
        return NamePosition(name, UUID(row_id))
    except (binascii.Error, ValueError):
        raise InvalidError([FieldError("cursor", "is no next_cursor of an earlier answer in this order")]) from None


class Shortened(list[T]):
    """Rows that more would follow, though there are fewer than were asked for: with those they have too many bytes."""


class LookedThrough(list[T]):
    """All rows up to a position, perhaps none, where looking further is for the next page.

    Args:
        rows: What was found.
        position: Where the next page begins.
    """

    def __init__(self, rows: Sequence[T], position: Position) -> None:
        super().__init__(rows)
        self.position = position


def page_of(rows: Sequence[T], limit: int, position: Callable[[T], Position | NamePosition]) -> Page[T]:
    """Make a page of up to ``limit`` rows out of the ``limit + 1`` that were asked for."""
    if isinstance(rows, LookedThrough) and len(rows) <= limit:
        return Page(rows, rows.position.cursor())
    more = len(rows) > limit or isinstance(rows, Shortened)
    items = rows[:limit]
    return Page(items, position(items[-1]).cursor() if more else None)
