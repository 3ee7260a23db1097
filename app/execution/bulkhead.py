"""The bulkhead of an executor lane: one destination that hangs must not take every slot (docs/design.md#7-breakers).

A destination is one as an owner's workflows reach it, as for the circuits: what hangs for one need not for others.
It may have attempts under way as long as they are fewer than some multiple of the slots that are free: one alone gets
most of the lane, several share it, and there is always something left for the next. A record that
must wait, for that or for its next attempt, steps aside: it keeps its entity's turn and gives its slot to another.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final

SHARE: Final = 4
MAX_ASIDE: Final = 256
_LOOK_S: Final = 0.1


class Entry(Enum):
    """What became of asking for a place."""

    ENTERED = auto()
    FULL = auto()
    CLOSING = auto()


class Bulkhead:
    """Places for attempts in one lane.

    Args:
        slots: Attempts under way at once.
        shared: The lane's commands have many destinations, which share the slots; else the only one may have them all.
        most_aside: Most that may wait aside at once.
    """

    def __init__(self, slots: int, *, shared: bool, most_aside: int = MAX_ASIDE) -> None:
        self._slots = slots
        self._shared = shared
        self._most_aside = most_aside
        self._inside: Counter[str] = Counter()
        self._total = 0
        self._aside = 0
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}
        self._on_room: Callable[[], None] = lambda: None

    @property
    def aside(self) -> int:
        """How many wait aside; they hold no slot."""
        return self._aside

    def on_room(self, call: Callable[[], None]) -> None:
        """Say what to call when a record has stepped aside."""
        self._on_room = call

    async def enter(self, destination: str, within: float, closing: Callable[[], bool]) -> Entry:
        """Take a place for one attempt at a destination; a caller that enters must leave.

        Args:
            destination: Where the attempt goes.
            within: Seconds to wait for a place, at most.
            closing: Whether to stop waiting, because the record is to be given back.
        """
        if destination not in self._queues and self._may(destination):
            self._take(destination)
            return Entry.ENTERED
        if self._aside >= self._most_aside:
            return Entry.FULL
        place = asyncio.get_running_loop().create_future()
        self._queues.setdefault(destination, deque()).append(place)
        entry = None
        try:
            with self._stepped_aside():
                entry = await self._wait(place, within, closing)
        finally:
            if entry is not Entry.ENTERED:
                self._withdraw(destination, place)
        return entry

    def leave(self, destination: str) -> None:
        """Give a place back; the first in the queue for it goes on."""
        self._total -= 1
        self._inside[destination] -= 1
        if not self._inside[destination]:
            del self._inside[destination]
        for waited_for in [destination, *self._queues] if self._queues else ():
            self._admit(waited_for)

    @contextmanager
    def step_aside(self) -> Iterator[bool]:
        """Give the slot to another for a while; False where too many have done so."""
        if self._aside >= self._most_aside:
            yield False
            return
        with self._stepped_aside():
            yield True

    @contextmanager
    def _stepped_aside(self) -> Iterator[None]:
        self._aside += 1
        self._on_room()
        try:
            yield
        finally:
            self._aside -= 1

    async def _wait(self, place: "asyncio.Future[None]", within: float, closing: Callable[[], bool]) -> Entry:
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        while not place.done():
            left = until - loop.time()
            if left <= 0:
                return Entry.FULL
            if closing():
                return Entry.CLOSING
            await asyncio.wait({place}, timeout=min(left, _LOOK_S))
        return Entry.ENTERED

    def _may(self, destination: str) -> bool:
        free = self._slots - self._total
        return free > 0 and (not self._shared or self._inside[destination] < SHARE * free)

    def _take(self, destination: str) -> None:
        self._total += 1
        self._inside[destination] += 1

    def _admit(self, destination: str) -> None:
        queue = self._queues.get(destination)
        while queue and self._may(destination):
            self._take(destination)
            queue.popleft().set_result(None)
        if queue is not None and not queue:
            del self._queues[destination]

    def _withdraw(self, destination: str, place: "asyncio.Future[None]") -> None:
        """Stop waiting; a place that was given at this very moment is given back."""
        if place.done():
            self.leave(destination)
            return
        place.cancel()
        queue = self._queues[destination]
        queue.remove(place)
        if not queue:
            del self._queues[destination]
