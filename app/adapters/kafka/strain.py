"""How much of the CPU is taken, for who may do a thing sooner at the price of doing it more often.

Three things can run out: the machine's cores, which others use too, what the container may use of them, and the one
core that a worker's loop can use. They are asked for a few times a second, whatever the load. What the machine does not
say (no ``/proc``, no limit) does not count; the worker's own share always does.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

LOOK_S: Final = 0.2
_WEIGHT: Final = 0.4
_STAT: Final = Path("/proc/stat")
_IDLE: Final = slice(3, 5)  # idle, and idle while something is read or written
_GUESTS_AT: Final = 8  # what follows is counted before already

# Seconds, or ticks, that were spent idle and in all, over all cores since the machine started.
Times = tuple[float, float]


def machine_times() -> Times:
    """Return the machine's; nothing of either where it does not say."""
    try:
        first, _, _ = _STAT.read_text().partition("\n")
        fields = [float(field) for field in first.split()[1:]]
    except (OSError, ValueError):
        return 0.0, 0.0
    return sum(fields[_IDLE]), sum(fields[:_GUESTS_AT])


class Strain:
    """Says how strained this process and its machine are.

    Args:
        machine: Returns what the machine's cores have done.
        container: Returns what the container has used of what it may, if it is limited.
        own: Returns the CPU seconds of this process.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        machine: Callable[[], Times] = machine_times,
        container: Callable[[], Times] = lambda: (0.0, 0.0),
        own: Callable[[], float] = time.process_time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = (machine, container)
        self._own = own
        self._clock = clock
        self._value = 0.0
        self._at, self._times, self._spent = clock(), self._look(), own()

    def look(self) -> float:
        """Return the largest share that is taken, of machine, container or core, as of late: 0 is none, 1 all."""
        now = self._clock()
        past = now - self._at
        if past >= LOOK_S:
            times, spent = self._look(), self._own()
            shares = [_taken(before, after) for before, after in zip(self._times, times, strict=True)]
            taken = min(max(*shares, (spent - self._spent) / past, 0.0), 1.0)
            self._value += _WEIGHT * (taken - self._value)
            self._at, self._times, self._spent = now, times, spent
        return self._value

    def _look(self) -> list[Times]:
        return [source() for source in self._sources]


def _taken(before: Times, after: Times) -> float:
    idle, total = after[0] - before[0], after[1] - before[1]
    return 1 - idle / total if total > 0 else 0.0
