"""How many looks at the topics of events may be under way: each reads megabytes, off brokers that have other work."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import Final

from app.services.access.rate_limit import RateLimitedError

MOST_AT_ONCE: Final = 2
_WAIT_S: Final = 3.0


class LookingError(RateLimitedError):
    """There are looks under way, the caller's own or too many others'.

    Attributes:
        retry_after: Whole seconds until the next is likely to be taken.
    """

    def __init__(self, what: str) -> None:
        super(RateLimitedError, self).__init__(what)
        self.retry_after = 2


class Looks:
    """One look at a time for a caller, and a few at a time for all of a process.

    Args:
        most: Looks at once.
        wait: Seconds that one waits for its turn.
    """

    def __init__(self, most: int = MOST_AT_ONCE, wait: float = _WAIT_S) -> None:
        self._slots = asyncio.Semaphore(most)
        self._wait = wait
        self._callers: set[Hashable] = set()

    @asynccontextmanager
    async def turn(self, caller: Hashable) -> AsyncIterator[None]:
        """Have a turn for the block.

        Raises:
            LookingError: The caller has one already, or there was none free in time.
        """
        if caller in self._callers:
            raise LookingError("You are looking at events already; wait for that answer")
        self._callers.add(caller)
        try:
            try:
                await asyncio.wait_for(self._slots.acquire(), self._wait)
            except TimeoutError:
                raise LookingError("Too many are looking at events; try again") from None
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._callers.discard(caller)
