"""What comes in parts, as a whole."""

from collections.abc import AsyncIterator

from app.execution.parts import Part
from app.ports import Record


async def whole(parts: AsyncIterator[Part]) -> list[Record]:
    """Return all that is to be sent, in order."""
    return [record async for part in parts for record in part.records]
