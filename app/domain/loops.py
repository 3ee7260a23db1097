"""Loops: a workflow whose effects set it off again is stopped (docs/design.md#53-loops).

Two ways of seeing one. The causation chain of an event names the executions that led to it; and where a system drops
the chain, a workflow that runs for one entity over and over shows by its number alone. Pure, but for its counts.
"""

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from sys import getsizeof
from typing import Final
from uuid import UUID

from app.domain.causation import Link

MAX_ITERATIONS: Final = 3
MOST_BYTES: Final = 32 * 1024 * 1024
# Of a pair, besides its key and its count: a dictionary's slots and links, the time, and the workflow's id.
_PLACE_BYTES: Final = 300


def loop_reason(chain: Sequence[Link], workflow_id: UUID) -> str | None:
    """Say why a workflow may not start for an event with this chain; None where it may.

    It may run three times in one chain, not a fourth time.
    """
    before = sum(link.workflow_id == workflow_id for link in chain)
    if before < MAX_ITERATIONS:
        return None
    return f"a loop: the workflow has run {before} times in the chain that led to this event"


@dataclass(slots=True)
class _Count:
    """Runs of one workflow for one entity in the window that began at ``since``; ids by their last 64 bits."""

    since: float
    runs: "array[int]"


class RunBudget:
    """Bounds how often a workflow runs for one entity, for systems that drop the chain.

    An entity's events come to the matcher that owns its partition, so that its memory is the place to count; it starts
    anew when partitions move or the matcher restarts, which gives a loop that much more and blocks
    nothing wrongly.

    What is counted is bounded in bytes. At the bound the pair that has not run for the longest time is forgotten, and
    counts from nothing when it runs again: no run is blocked for want of memory, and a loop, which runs over and over,
    is the last to be forgotten.

    Args:
        limit: Most runs of a workflow for one entity in a window; 0: no limit.
        window: Seconds; a window begins with the first run that it counts.
        most_bytes: What the counts may take.

    Attributes:
        size: Bytes that the counts take.
        forgotten: Counts forgotten at the bound before their windows were over; the matcher reports and resets it.
    """

    def __init__(self, limit: int, window: float, *, most_bytes: int = MOST_BYTES) -> None:
        self.size = 0
        self.forgotten = 0
        self._limit = limit
        self._window = window
        self._most_bytes = most_bytes
        self._counts: OrderedDict[tuple[UUID, str], _Count] = OrderedDict()

    def spend(self, workflow_id: UUID, entity: str, execution_id: UUID, now: float) -> str | None:
        """Count a run, and say why it may not start; None where it may. A run that was counted stays one run.

        Args:
            workflow_id: The workflow's id.
            entity: Record key of its event.
            execution_id: The run's id.
            now: Seconds of any clock that goes forward.
        """
        if not self._limit:
            return None
        runs = self._current((workflow_id, entity), now).runs
        mark = execution_id.int & 0xFFFF_FFFF_FFFF_FFFF
        if mark in runs:
            return None
        if len(runs) >= self._limit:
            return (
                f"over its budget: it has run {self._limit} times for this entity within {self._window:g} s,"
                " as a loop would"
            )
        self.size -= getsizeof(runs)
        runs.append(mark)
        self.size += getsizeof(runs)
        self._forget_down_to_the_bound(now)
        return None

    def _current(self, key: tuple[UUID, str], now: float) -> _Count:
        """Return the pair's count in its present window, as the one that ran last."""
        count = self._counts.get(key)
        if count is not None and now - count.since < self._window:
            self._counts.move_to_end(key)
            return count
        if count is not None:
            self._drop(key)
        count = self._counts[key] = _Count(now, array("Q"))
        self.size += _pair_bytes(key, count)
        return count

    def _forget_down_to_the_bound(self, now: float) -> None:
        while self.size > self._most_bytes and len(self._counts) > 1:
            key = next(iter(self._counts))
            self.forgotten += now - self._counts[key].since < self._window
            self._drop(key)

    def _drop(self, key: tuple[UUID, str]) -> None:
        self.size -= _pair_bytes(key, self._counts.pop(key))


def _pair_bytes(key: tuple[UUID, str], count: _Count) -> int:
    """Return what a pair takes, with its place in the dictionary."""
    return _PLACE_BYTES + getsizeof(key) + getsizeof(key[1]) + getsizeof(count) + getsizeof(count.runs)
