"""Saying what may happen thousands of times a second often enough to be seen, and no more."""

import time
from collections.abc import Callable


class Sparing:
    """Lets so many lines through in a time, and counts the others.

    Args:
        most: Lines in that time.
        every_s: The time, in seconds.
        clock: Seconds, monotonic.
    """

    def __init__(self, most: int, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._every_s = every_s
        self._clock = clock
        self._since = float("-inf")
        self._said = 0
        self._held = 0

    def admits(self) -> bool:
        """Tell whether a line may be written now."""
        now = self._clock()
        if now - self._since >= self._every_s:
            self._since, self._said = now, 0
        if self._said >= self._most:
            self._held += 1
            return False
        self._said += 1
        return True

    def held_back(self) -> dict[str, int]:
        """Return how many lines were held back since the last, for that line's fields; nothing where none was."""
        held, self._held = self._held, 0
        return {"not_said_before": held} if held else {}
