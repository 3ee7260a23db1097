"""Dotted paths into JSON, such as ``order.items.0.price``.

A path is split at every dot, so a key that itself holds a dot cannot be reached: there is no escape. On an array a
segment must be an index as JSON would write it (``0``, ``12``; no sign, no leading zero); on an object the same
segment is a key. Everything else, and what is not there, is ``MISSING``, which is not the same as ``null``.
"""

from __future__ import annotations

import re
from typing import Any, Final

MAX_PATH_LENGTH: Final = 512
MAX_SEGMENTS: Final = 32

_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,8})\Z")
_NO_INDEX: Final = -1


class Missing:
    """The type of ``MISSING``; it has one instance."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


class Path:
    """A dotted path, split once.

    Attributes:
        text: The path as it was written.
        root: Its first segment, which may name something other than the event's data.
        rest: The path below the root; without segments it resolves to the value it is given.
    """

    __slots__ = ("_segments", "text")

    def __init__(self, text: str, segments: tuple[tuple[str, int], ...]) -> None:
        self.text = text
        self._segments = segments

    @property
    def root(self) -> str:
        """The first segment."""
        return self._segments[0][0]

    @property
    def rest(self) -> Path:
        """The path without its first segment."""
        return Path(self.text, self._segments[1:])

    def resolve(self, value: Any) -> Any:
        """Walk down from ``value``; ``MISSING`` where a segment leads nowhere. Never raises on JSON."""
        for key, index in self._segments:
            if isinstance(value, dict):
                value = value.get(key, MISSING)
                if value is MISSING:
                    return MISSING
            elif isinstance(value, list) and _NO_INDEX < index < len(value):
                value = value[index]
            else:
                return MISSING
        return value


def parse_path(text: str) -> Path:
    """Split a dotted path.

    Args:
        text: The path: at most 512 characters and 32 segments, none of them empty.

    Raises:
        ValueError: The text is no such path; the message says why.
    """
    if not text:
        raise ValueError("must name a field, such as order.total")
    if len(text) > MAX_PATH_LENGTH:
        raise ValueError(f"must be at most {MAX_PATH_LENGTH} characters long")
    parts = text.split(".")
    if len(parts) > MAX_SEGMENTS:
        raise ValueError(f"must have at most {MAX_SEGMENTS} segments")
    if not all(parts):
        raise ValueError("must have something before, between and after its dots")
    return Path(text, tuple((part, int(part) if _INDEX.match(part) else _NO_INDEX) for part in parts))
