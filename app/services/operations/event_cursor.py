"""Where a search through the topics has got to, as an opaque token: short enough for any URL."""

import base64
import binascii
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from app.domain.errors import FieldError, InvalidError

MAX_CHARS: Final = 500
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is, through partitions in a fixed order.

    Attributes:
        done: Partitions that were read to their end.
        positions: Of those after them that are begun, the next offset to read.
        kept: The moment, in seconds since 1970, from which on all is still there; 0 where nothing is gone.
    """

    done: int = 0
    positions: Sequence[int] = field(default=())
    kept: float = 0.0

    def cursor(self) -> str:
        """Write it."""
        text = f"{self.done}|{','.join(map(str, self.positions))}|{self.kept!r}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> Progress:
    """Read a token that :meth:`Progress.cursor` made; without one nothing is done.

    Raises:
        InvalidError: It is no such token.
    """
    if cursor is None:
        return Progress()
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        done, positions, kept = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split("|")
        return Progress(_offset(done), [_offset(at) for at in positions.split(",") if at], _moment(kept))
    except (binascii.Error, ValueError):
        raise InvalidError([FieldError("cursor", "is no next_cursor of an earlier answer")]) from None


def _moment(text: str) -> float:
    seconds = float(text)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("no moment")
    return seconds


def _offset(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _LARGEST:
        raise ValueError("no offset")
    return number
