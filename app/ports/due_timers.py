"""Timers that are due: where they are locked, sent and forgotten."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from app.ports.kafka import Record, Refusal
from app.ports.outbox import Bounds


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer that is due, and locked by us. ``late``: seconds since it was due."""

    command_id: UUID
    record: Record
    late: float


class TimerSession(Protocol):
    """The timers as one scheduler sees them. Every method raises ``UnreachableError`` where Postgres does not serve."""

    async def fire(self, bounds: Bounds, send: Callable[[Sequence[DueTimer]], Awaitable[Sequence[DueTimer]]]) -> int:
        """Lock what is due, oldest first, hand it to ``send``, and delete what that returns; in one transaction.

        Returns how many were due. What ``send`` raises leaves all as it was.
        """

    async def set_aside(self, refused: Sequence[tuple[DueTimer, Refusal]], by: timedelta) -> None:
        """Set timers to a later time, and note why their records were refused."""

    async def next_due(self) -> float | None:
        """Seconds until the next timer is due; None where no timer is set."""

    async def wait(self, within: float) -> None:
        """Return when a timer may have been set, after ``within`` seconds at the latest."""


class TimerStore(Protocol):
    """Where timers are kept."""

    def open(self) -> AbstractAsyncContextManager[TimerSession]:
        """Open a session.

        Raises:
            UnreachableError: Postgres does not answer.
        """
