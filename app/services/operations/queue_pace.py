"""How fast roles finish records: where their groups were at earlier looks, against where they are."""

from collections import deque
from collections.abc import Mapping
from typing import Final

_OVER_S: Final = 60.0
_APART_S: Final = 1.0


class Pace:
    """The looks of the last minute."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, Mapping[str, int]]] = deque()

    def rates(self, now: float, places: Mapping[str, int]) -> dict[str, float | None]:
        """Return the records a second of each role since the earliest look of the last minute.

        Args:
            now: Seconds, monotonic.
            places: Where each role is: the offsets that its group has committed, all together.

        Returns:
            By role; None where there is no earlier look. A topic that was made anew begins at nought: that is no pace.
        """
        while self._looks and now - self._looks[0][0] > _OVER_S:
            self._looks.popleft()
        began, before = self._looks[0] if self._looks else (now, {})
        self._looks.append((now, dict(places)))
        if now - began < _APART_S:
            return dict.fromkeys(places)
        return {
            role: round(max(0, at - before[role]) / (now - began), 1) if role in before else None
            for role, at in places.items()
        }
