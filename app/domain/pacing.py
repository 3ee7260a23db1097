"""Pacing: how many may go now, so that not more than so many go in a second."""

from typing import Final

MAX_BURST_S: Final = 0.25


class Paces:
    """A pace for each name, all at the same rate (token buckets).

    Args:
        rate: How many a second.
        burst: Seconds that may be made up for, after a while without any use.
    """

    def __init__(self, rate: float, *, burst: float = MAX_BURST_S) -> None:
        self._rate = rate
        self._burst = burst
        self._taken_until: dict[str, float] = {}

    def take(self, name: str, now: float) -> int:
        """Take all that may go at ``now`` (monotonic seconds), and return how many that is."""
        since = max(self._taken_until.get(name, now - 1 / self._rate), now - max(self._burst, 1 / self._rate))
        # A little is forgiven: ten times a tenth is not quite one.
        count = int((now - since) * self._rate + 1e-6)
        self._taken_until[name] = since + count / self._rate
        return count

    def forget(self, name: str) -> None:
        """Begin anew for a name."""
        self._taken_until.pop(name, None)
