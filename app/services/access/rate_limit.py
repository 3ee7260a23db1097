"""A bound on how often one caller may ask: a token bucket each, in bounded memory."""

from collections.abc import Callable, Hashable

from app.domain.errors import HeadraceError
from app.services.access.buckets import MAX_CALLERS, Buckets


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
        self._what = what
        self._buckets = Buckets(per_minute, clock, most=most)

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
        missing = min(count, self._per_minute) - self._buckets.left(caller)
        self._buckets.take(caller, 0 if missing > 0 else count)
        if missing > 0:
            raise RateLimitedError(self._per_minute, self._buckets.seconds_until(missing), self._what)
