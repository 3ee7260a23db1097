"""A bound on the CPU that one caller's templates and conditions may take: seconds a minute, in bounded memory."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Final

from app.domain.wall import METER
from app.services.access.buckets import MAX_CALLERS, Buckets
from app.services.access.rate_limit import RateLimitedError

SECONDS_A_MINUTE: Final = 5.0
_MINUTE_S: Final = 60.0


class CpuSpentError(RateLimitedError):
    """The caller's templates and conditions have taken what they may.

    Attributes:
        retry_after: Whole seconds until more is given.
    """

    def __init__(self, per_minute: float, retry_after: int) -> None:
        super(RateLimitedError, self).__init__(
            f"At most {per_minute:g} s of CPU a minute are given to one caller's templates and conditions; "
            f"try again in {retry_after} s"
        )
        self.retry_after = retry_after


class CpuBudget:
    """Seconds of CPU for each caller, refilled evenly; what is begun is never broken off, so it may go below nothing.

    Args:
        per_minute: Seconds; 0 sets no limit.
        clock: Seconds, monotonic.
        most: Callers to remember, those that spent last.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float], *, most: int = MAX_CALLERS) -> None:
        self._per_minute = per_minute
        self._buckets = Buckets(per_minute, clock, most=most)

    def of(self, caller: Hashable) -> "CallersCpu":
        """Return a caller's account."""
        return CallersCpu(self, caller)

    def check(self, caller: Hashable) -> None:
        """See that a caller has some left.

        Raises:
            CpuSpentError: None is left.
        """
        left = self._buckets.left(caller)
        if self._per_minute and left <= 0:
            # Until a second's refill is in it, so that a caller who comes back then may begin something.
            raise CpuSpentError(self._per_minute, self._buckets.seconds_until(self._per_minute / _MINUTE_S - left))

    def spend(self, caller: Hashable, seconds: float) -> None:
        """Take seconds off a caller's."""
        self._buckets.take(caller, seconds)


class CallersCpu:
    """One caller's account."""

    __slots__ = ("_budget", "_caller", "_since")

    def __init__(self, budget: CpuBudget, caller: Hashable) -> None:
        self._budget = budget
        self._caller = caller
        self._since = 0.0

    def check(self) -> None:
        """Raise CpuSpentError where nothing is left."""
        self._budget.check(self._caller)

    def spend(self, seconds: float) -> None:
        """Take seconds off."""
        self._since += seconds
        self._budget.spend(self._caller, seconds)

    def pause(self) -> float:
        """Return how long to leave the loop to others: as long as it was kept from them since the last pause."""
        since, self._since = self._since, 0.0
        return since


async def breathe() -> None:
    """Leave all others half of the time between pieces of work for a caller; see that CPU is left for the next.

    Raises:
        CpuSpentError: None is left.
    """
    meter = METER.get()
    if isinstance(meter, CallersCpu):
        meter.check()
        await asyncio.sleep(meter.pause())
