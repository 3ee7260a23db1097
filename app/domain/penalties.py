"""What comes to the wall again and again is refused for a while, so that it costs the others no more.

A wall bounds what one try costs; a step that comes to it for every command of a busy workflow would still take most of
a process. After three in a row it is not tried for a minute; then once, and if that comes to the wall too, not for
another minute.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Final

IN_A_ROW: Final = 3
REFUSED_FOR_S: Final = 60.0
FORGIVEN_AFTER_S: Final = 600.0
REFUSED: Final = f"it did {IN_A_ROW} times in a row, so it is not tried again for a minute"
_MOST: Final = 10_000


class Penalties:
    """Counts, by key, what came to the wall in a row; bounded in memory.

    Args:
        clock: Seconds, monotonic.
        most: Keys to remember, those that came to it last.
    """

    def __init__(self, clock: Callable[[], float] = monotonic, *, most: int = _MOST) -> None:
        self._clock = clock
        self._most = most
        self._hits: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether anything is remembered: where nothing is, there is nothing to ask."""
        return bool(self._hits)

    def refused(self, key: Hashable) -> bool:
        """Whether this is not to be tried now."""
        hits, at = self._hits.get(key, (0, 0.0))
        return hits >= IN_A_ROW and self._clock() - at < REFUSED_FOR_S

    def reached(self, key: Hashable) -> None:
        """Note that it came to the wall."""
        now = self._clock()
        hits, at = self._hits.pop(key, (0, now))
        self._hits[key] = (1 if now - at > FORGIVEN_AFTER_S else hits + 1, now)
        if len(self._hits) > self._most:
            self._hits.popitem(last=False)

    def passed(self, key: Hashable) -> None:
        """Note that it did not."""
        self._hits.pop(key, None)
