"""What the overview shows of a day: read from the log and the timers within bounds, however long they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.alert_states import Standing
from app.domain.callers import Caller


@dataclass(frozen=True, slots=True)
class Sampled:
    """Executions of one hour that ended alike and took about as long, as far as they were looked at.

    Attributes:
        hour: The hour of the day that is told of, from 0.
        count: How many there are: counted where none was left out, else taken from those that were looked at.
        ms: How long they took, to two digits; None where they did not run.
        failed_steps: How many of their steps failed.
        is_counted: Whether none was left out.
    """

    hour: int
    status: str
    count: float
    ms: float | None
    failed_steps: float
    is_counted: bool


@dataclass(frozen=True, slots=True)
class FailingWorkflow:
    """A workflow, how often it failed, and the error that it failed with most often, with how often that was."""

    workflow_id: UUID
    name: str
    failures: int
    error: str | None
    times: int


@dataclass(frozen=True, slots=True)
class Failing:
    """What fails, of the newest failures.

    Attributes:
        most: The workflows that fail most.
        executions: Failures within the last hour,
        workflows: and of how many workflows they are.
        is_whole: Whether every failure of the day was looked at.
    """

    most: Sequence[FailingWorkflow]
    executions: int
    workflows: int
    is_whole: bool


class OverviewStore(Protocol):
    """Where it is read. Every method raises ``UnreachableError``."""

    async def day(self, caller: Caller, since: datetime, until: datetime) -> Sequence[Sampled]:
        """Return the executions of a day that the caller may see, by hour."""

    async def due(self, caller: Caller, since: datetime, until: datetime) -> Mapping[int, int]:
        """Count what waits of the caller's by the hour of the day in which it goes on; at most 20,000 are counted."""

    async def failing(self, caller: Caller, since: datetime, recent: datetime) -> Failing:
        """Return what has failed since a moment; ``recent`` is where the last hour begins."""

    async def alerts(self) -> Mapping[str, Standing]:
        """Return what alerts stand at, by their full names: for who may operate."""
