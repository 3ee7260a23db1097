"""Loops: a workflow whose effects set it off again is stopped (specification, property 25; DESIGN 4).

Two ways of seeing one. The causation chain of an event names the executions that led to it; and where a system drops
the chain, a workflow that runs for one entity over and over shows by its number alone. Pure, but for its counts.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domain.causation import Link

MAX_ITERATIONS: Final = 3
MAX_COUNTED: Final = 50_000


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
    anew when partitions move or the matcher restarts, which gives a loop that much more and never blocks anybody.

    Args:
        limit: Most runs of a workflow for one entity in a window; 0: no limit.
        window: Seconds; a window begins with the first run that it counts.
        most: Pairs of workflow and entity to count; beyond that those that began first are forgotten.
    """

    def __init__(self, limit: int, window: float, *, most: int = MAX_COUNTED) -> None:
        self._limit = limit
        self._window = window
        self._most = most
        self._counts: dict[tuple[UUID, str], _Count] = {}

    def spend(self, workflow_id: UUID, entity: str, execution_id: UUID, now: float) -> str | None:
        """Count a run, and say why it may not start; None where it may. A run that was counted stays one run.

        Args:
            workflow_id: Of the workflow.
            entity: Record key of its event.
            execution_id: Of the run.
            now: Seconds of any clock that goes forward.
        """
        if not self._limit:
            return None
        runs = self._current(workflow_id, entity, now).runs
        mark = execution_id.int & 0xFFFF_FFFF_FFFF_FFFF
        if mark in runs:
            return None
        if len(runs) >= self._limit:
            return (
                f"over its budget: it has run {self._limit} times for this entity within {self._window:g} s,"
                " as a loop would"
            )
        runs.append(mark)
        return None

    def _current(self, workflow_id: UUID, entity: str, now: float) -> _Count:
        key = (workflow_id, entity)
        count = self._counts.get(key)
        if count is None or now - count.since >= self._window:
            self._counts.pop(key, None)  # so that those that began first stay in front
            while len(self._counts) >= self._most:
                del self._counts[next(iter(self._counts))]
            count = self._counts[key] = _Count(now, array("Q"))
        return count
