"""Token buckets of callers, refilled evenly, in bounded memory."""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

MAX_CALLERS: Final = 10_000
_MINUTE_S: Final = 60.0


class Buckets:
    """A bucket of ``per_minute`` tokens for each caller; a bucket that owes some holds less than none.

    Buckets are kept for the callers that took last. One that is put out of memory is full when its caller comes back:
    with ten thousand of them that is one who has not asked for a while, or one among too many to tell apart.

    Args:
        per_minute: What a bucket holds, and gets back in a minute.
        clock: Seconds, monotonic.
        most: Callers to remember.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float], *, most: int = MAX_CALLERS) -> None:
        self._per_minute = float(per_minute)
        self._clock = clock
        self._most = most
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._left)

    def left(self, caller: Hashable) -> float:
        """Return what a caller's bucket holds now."""
        found = self._left.get(caller)
        if found is None:
            return self._per_minute
        tokens, at = found
        return min(self._per_minute, tokens + (self._clock() - at) * self._per_minute / _MINUTE_S)

    def take(self, caller: Hashable, tokens: float) -> None:
        """Take tokens out of a caller's bucket, whether they are in it or not; none notes that the caller asked."""
        self._left[caller] = self.left(caller) - tokens, self._clock()
        self._left.move_to_end(caller)
        if len(self._left) > self._most:
            self._left.popitem(last=False)

    def seconds_until(self, missing: float) -> int:
        """Return in how many whole seconds a bucket gets back so many tokens, at least one."""
        return max(1, math.ceil(missing * _MINUTE_S / self._per_minute))
