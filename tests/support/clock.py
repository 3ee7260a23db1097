"""A moment that tests agree on, and a clock that they move."""

import asyncio
from datetime import UTC, datetime
from typing import Final

NOW: Final = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class SteppedClock:
    """A monotonic clock that goes forward when somebody sleeps, and only then.

    Attributes:
        seconds: What it shows.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        """Return what it shows."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Go forward at once, and let others run."""
        self.seconds += seconds
        await asyncio.sleep(0)
