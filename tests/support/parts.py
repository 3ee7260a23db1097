"""What comes in parts, as a whole."""

from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

T = TypeVar("T")


async def whole(parts: AsyncIterator[Sequence[T]]) -> list[T]:
    """Return all that the parts hold, in order."""
    return [one async for part in parts for one in part]
