"""How long tests wait: the one place, scaled by how fast the machine proves to be.

A deadline in a test is written as it holds on the machine that the references below were measured on, with nothing
beside it. Everywhere else it is as many times longer as that machine is faster: a fixed piece of work and the start of
a Python are timed when the first deadline is asked for and again every half a minute, and the worst of the last few
counts, so that what keeps the machine busy counts as well. Never is a deadline shorter than written.

``TEST_PATIENCE`` (a number, 3 say) is the least that deadlines are multiplied by, whatever is measured.
"""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Final

VARIABLE: Final = "TEST_PATIENCE"
_WORK_S: Final = 0.028
_SPAWN_S: Final = 0.080
_ANEW_S: Final = 30.0
_REMEMBERED: Final = 5
_MOST: Final = 12.0
_SPAWNED: Final = (sys.executable, "-c", "import asyncio, json, ssl")


def _work() -> None:
    """Do what tests do all the time: make strings, look into dictionaries."""
    found: dict[int, str] = {}
    for number in range(60_000):
        found[number & 1023] = f"{number}:{found.get(number & 511, '')}"[:16]


def _spawn() -> None:
    subprocess.run(_SPAWNED, check=True)  # noqa: S603 - our own interpreter


def _took(piece: Callable[[], None]) -> float:
    began = time.monotonic()
    piece()
    return time.monotonic() - began


def measured(rounds: int = 1) -> float:
    """Return how many times slower than the reference this machine is now: the worst of the rounds."""
    return max(max(_took(_work) / _WORK_S, _took(_spawn) / _SPAWN_S) for _ in range(rounds))


class Pace:
    """How many times longer deadlines are here and now.

    Args:
        measure: Gives how many times slower the machine is; takes the number of rounds.
        clock: Seconds that only grow.
        least: What the factor never falls below.
    """

    def __init__(
        self,
        measure: Callable[[int], float] = measured,
        clock: Callable[[], float] = time.monotonic,
        least: float = 1.0,
    ) -> None:
        self._measure = measure
        self._clock = clock
        self._least = max(1.0, least)
        self._last: deque[float] = deque(maxlen=_REMEMBERED)
        self._at = 0.0

    def factor(self) -> float:
        """Return the factor of deadlines; measures where the last measurement is old."""
        if not self._last or self._clock() - self._at > _ANEW_S:
            self.measure_anew(rounds=1 if self._last else 3)
        return max(self._least, min(_MOST, max(self._last)))

    def measure_anew(self, rounds: int = 2) -> None:
        """Measure now: what a wait does before it gives up."""
        self._last.append(self._measure(rounds))
        self._at = self._clock()


def _least() -> float:
    said = os.environ.get(VARIABLE, "1")
    try:
        return float(said)
    except ValueError:
        raise ValueError(f"{VARIABLE} is to be a number, such as 3; it is {said!r}") from None


PACE: Final = Pace(least=_least())


def scaled(seconds: float) -> float:
    """Return a deadline as it holds on this machine."""
    return seconds * PACE.factor()


class Deadline:
    """The end of a wait that has begun: it moves away while the machine proves slower than it was at the beginning.

    Attributes:
        seconds: As written.
    """

    def __init__(self, seconds: float, pace: Pace = PACE, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._pace = pace
        self._clock = clock
        self._factor = pace.factor()
        self._began = clock()

    def left(self) -> float:
        """Return how many seconds are left; at the end the machine is measured once more. Not positive: give up."""
        left = self._factor * self.seconds - self.waited
        if left > 0:
            return left
        self._pace.measure_anew()
        self._factor = max(self._factor, self._pace.factor())
        return self._factor * self.seconds - self.waited

    @property
    def waited(self) -> float:
        """How many seconds have passed."""
        return self._clock() - self._began

    def __str__(self) -> str:
        """Say how long it was, for the failure."""
        return f"waited {self.waited:.1f} s ({self.seconds:g} s, {self._factor:.1f} times as long on this machine)"
