"""Timers: records that go to Kafka when their time has come, kept where no restart forgets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from app.ports.kafka import Record

TimerKind = Literal["delay", "retry", "circuit"]


@dataclass(frozen=True, slots=True)
class Timer:
    """A command that waits.

    Attributes:
        command_id: Of the command that set it; it has at most one timer.
        step: The step that waits, or after which the execution waits.
        kind: ``delay`` (the workflow says so), ``retry`` (a wait too long to hold) or ``circuit`` (an open breaker).
        reason: For people.
        due: When ``record`` is to be sent.
        destination: Whose breaker is open; ``circuit`` only, as is
        deadline: when it has waited long enough, whatever the breaker says.
    """

    command_id: UUID
    execution_id: UUID
    workflow_id: UUID
    entity: str
    step: int
    kind: TimerKind
    reason: str
    due: datetime
    record: Record
    destination: str | None = None
    deadline: datetime | None = None


class Timers(Protocol):
    """Sets timers, in the caller's transaction."""

    async def set(self, timers: Sequence[Timer]) -> None:
        """Set timers; one that the command has already is replaced."""
