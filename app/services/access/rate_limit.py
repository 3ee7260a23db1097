"""A bound on how often one caller may ask: a token bucket each, in bounded memory."""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from app.domain.errors import HeadraceError

MAX_CALLERS: Final = 10_000
_MINUTE_S: Final = 60.0


class RateLimitedError(HeadraceError):
    """The caller has asked too often.

    Attributes:
        retry_after: Whole seconds until the next request is taken.
    """

    def __init__(self, per_minute: int, retry_after: int, what: str = "requests") -> None:
        super().__init__(f"At most {per_minute} {what} a minute are taken; try again in {retry_after} s")
        self.retry_after = retry_after


class RateLimiter:
    """A bucket of ``per_minute`` tokens for each caller, refilled evenly; a request takes one.

    Buckets are kept for the callers that asked last. One that is put out of memory is full when its caller comes back:
    with ten thousand of them that is somebody who has not asked for a while, or one among too many to tell apart.

    Args:
        per_minute: Requests; 0 sets no limit.
        clock: Seconds, monotonic.
        most: Callers to remember.
        what: What is counted, for people.
    """

    def __init__(
        self, per_minute: int, clock: Callable[[], float], *, most: int = MAX_CALLERS, what: str = "requests"
    ) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._most = most
        self._what = what
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._buckets)

    def take(self, caller: Hashable, count: int = 1) -> None:
        """Take tokens, all or none. More than a whole bucket holds are taken from a full one, which then owes them.

        Raises:
            RateLimitedError: There are too few.
        """
        if not self._per_minute:
            return
        now = self._clock()
        tokens, seen = self._buckets.pop(caller, (float(self._per_minute), now))
        tokens = min(float(self._per_minute), tokens + (now - seen) * self._per_minute / _MINUTE_S)
        needed = min(float(count), float(self._per_minute))
        admitted = tokens >= needed
        self._buckets[caller] = (tokens - count if admitted else tokens, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        if not admitted:
            wait = (needed - tokens) * _MINUTE_S / self._per_minute
            raise RateLimitedError(self._per_minute, max(1, math.ceil(wait)), self._what)
