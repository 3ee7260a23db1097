"""The time of day that all processes share."""

from datetime import datetime
from typing import Protocol


class SharedTime(Protocol):
    """Who is asked what time it is by everybody."""

    async def now(self) -> datetime:
        """Return its time.

        Raises:
            UnreachableError: It does not answer.
        """
        ...
