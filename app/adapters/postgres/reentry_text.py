"""How a bound of entering again stands in its column: as text. One that is an object stands there as JSON."""

from typing import Any

import orjson


def read_reentry(stored: str) -> str | dict[str, Any]:
    """Return a bound as the user wrote it."""
    read: str | dict[str, Any] = orjson.loads(stored) if stored.startswith("{") else stored
    return read
