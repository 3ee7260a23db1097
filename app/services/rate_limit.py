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

    def __init__(self, per_minute: int, retry_after: int) -> None:
        super().__init__(f"At most {per_minute} requests a minute are taken; try again in {retry_after} s")
        self.retry_after = retry_after


class RateLimiter:
    """A bucket of ``per_minute`` tokens for each caller, refilled evenly; a request takes one.

    Buckets are kept for the callers that asked last. One that is put out of memory is full when its caller comes back:
    with ten thousand of them that is somebody who has not asked for a while, or one among too many to tell apart.

    Args:
        per_minute: Requests; 0 sets no limit.
        clock: Seconds, monotonic.
        most: Callers to remember.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float], *, most: int = MAX_CALLERS) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._buckets)

    def take(self, caller: Hashable) -> None:
        """Take a token.

        Raises:
            RateLimitedError: There is none.
        """
        if not self._per_minute:
            return
        now = self._clock()
        tokens, seen = self._buckets.pop(caller, (float(self._per_minute), now))
        tokens = min(float(self._per_minute), tokens + (now - seen) * self._per_minute / _MINUTE_S)
        admitted = tokens >= 1
        self._buckets[caller] = (tokens - 1 if admitted else tokens, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        if not admitted:
            wait = (1 - tokens) * _MINUTE_S / self._per_minute
            raise RateLimitedError(self._per_minute, max(1, math.ceil(wait)))
