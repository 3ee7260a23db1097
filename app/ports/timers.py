"""Timers: records that go to Kafka when their time has come, kept where no restart forgets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from app.ports.kafka import Record

TimerKind = Literal["delay", "retry", "circuit", "quota"]


@dataclass(frozen=True, slots=True)
class Timer:
    """A command that waits.

    Attributes:
        command_id: The command that set it; a command has at most one timer.
        step: The step that waits, or after which the execution waits.
        kind: ``delay`` (the workflow says so), ``retry`` (a wait too long to hold), ``circuit`` (an open breaker) or
            ``quota`` (its owner's workflows run more often than they may).
        reason: Why it waits, for people.
        due: When ``record`` is to be sent.
        asked: When a wait for some time was asked for, by the clock of who asks. It is over that time after it is set,
            by the store's clock, as the two may differ. None where ``due`` is a moment by itself.
        destination: Whose breaker is open; of ``quota``, the owner's id.
        deadline: When it has waited long enough, even where the breaker is still open; ``circuit`` only.
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
    asked: datetime | None = None


class Timers(Protocol):
    """Sets timers, in the caller's transaction."""

    async def set(self, timers: Sequence[Timer]) -> None:
        """Set timers; one that the command has already is replaced."""


class Parking(Protocol):
    """Sets timers in a transaction of its own."""

    async def park(self, timers: Sequence[Timer]) -> None:
        """Set timers for good, but for commands that have one, or were begun or cancelled: all of that came later.

        Raises:
            UnreachableError: They cannot be set.
        """
