"""Firing timers: what is due goes to Kafka, and is forgotten once Kafka has it for good.

Several schedulers may do this side by side: each row is locked by one of them until it is sent. One that is killed
between sending and committing leaves its rows to be sent again; readers know a command by its receipt.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from prometheus_client import Counter, Histogram

from app.domain.errors import InvalidError, UnreachableError
from app.ports import Record, Sender

_BATCH: Final = 500
_LEAST_WAIT_S: Final = 0.05
_LONGEST_WAIT_S: Final = 30.0
_BACKOFF_S: Final = 1.0
_REFUSED_REST: Final = timedelta(minutes=10)

logger = logging.getLogger(__name__)

fired_total = Counter("headrace_timers_fired_total", "Timers whose record was sent")
refused_total = Counter("headrace_timers_refused_total", "Timers whose record Kafka will never take, by attempt")
late_seconds = Histogram(
    "headrace_timer_lateness_seconds",
    "From a timer's due time to when its record was durable and the timer forgotten",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer that is due, and locked by us. ``late``: seconds since it was due."""

    command_id: UUID
    record: Record
    late: float


class TimerSession(Protocol):
    """The timers as one scheduler sees them. Every method raises ``UnreachableError`` where Postgres does not serve."""

    async def fire(self, limit: int, send: Callable[[Sequence[DueTimer]], Awaitable[Sequence[DueTimer]]]) -> int:
        """Lock what is due, oldest first, hand it to ``send``, and delete what that returns; in one transaction.

        Returns how many were due. What ``send`` raises leaves all as it was.
        """

    async def postpone(self, timers: Sequence[DueTimer], by: timedelta) -> None:
        """Set timers to a later time."""

    async def next_due(self) -> float | None:
        """Seconds until the next timer is due; None where there is none."""

    async def wait(self, within: float) -> None:
        """Return when a timer may have been set, after ``within`` seconds at the latest."""


class TimerStore(Protocol):
    """Where timers are kept."""

    def open(self) -> AbstractAsyncContextManager[TimerSession]:
        """Open a session.

        Raises:
            UnreachableError: Postgres does not answer.
        """


class TimerLoop:
    """Fires timers until cancelled.

    Args:
        store: Where they are.
        sender: Where their records go.
        batch: Timers fired at once, at most.
    """

    def __init__(self, store: TimerStore, sender: Sender, *, batch: int = _BATCH) -> None:
        self._store = store
        self._sender = sender
        self._batch = batch

    async def run(self) -> None:
        """Fire for ever; where Kafka or Postgres is away, wait and go on by itself."""
        while True:
            try:
                async with self._store.open() as session:
                    while True:
                        await self._round(session)
            except UnreachableError as error:
                logger.warning("timers: %s; next try in %.1f s", error, _BACKOFF_S)
            await asyncio.sleep(_BACKOFF_S)

    async def _round(self, session: TimerSession) -> None:
        taken: Sequence[DueTimer] = ()
        sent: Sequence[DueTimer] = ()
        taken_at = 0.0

        async def send(due: Sequence[DueTimer]) -> Sequence[DueTimer]:
            nonlocal taken, sent, taken_at
            taken, taken_at = due, time.monotonic()
            sent = await self._send(due)
            return sent

        found = await session.fire(self._batch, send)
        _count(sent, time.monotonic() - taken_at)
        if len(sent) < len(taken):
            known = {timer.command_id for timer in sent}
            await session.postpone([timer for timer in taken if timer.command_id not in known], _REFUSED_REST)
        if found < self._batch:
            ahead = await session.next_due()
            # What another scheduler has locked is still there and due: it must not be asked for in a circle.
            await session.wait(_LONGEST_WAIT_S if ahead is None else min(max(ahead, _LEAST_WAIT_S), _LONGEST_WAIT_S))

    async def _send(self, due: Sequence[DueTimer]) -> Sequence[DueTimer]:
        """Send records and return the timers of those that are durable."""
        try:
            await self._sender.send_all([timer.record for timer in due])
        except InvalidError:
            return [timer for timer in due if await self._send_one(timer)]
        return due

    async def _send_one(self, timer: DueTimer) -> bool:
        try:
            await self._sender.send(timer.record)
        except InvalidError as error:
            refused_total.inc()
            logger.error("timer %s is refused and stays: %s", timer.command_id, error)  # noqa: TRY400 - a traceback into the client says nothing
            return False
        return True


def _count(sent: Sequence[DueTimer], took: float) -> None:
    """Count what was sent and is forgotten; ``took``: seconds from when it was taken up."""
    fired_total.inc(len(sent))
    for timer in sent:
        late_seconds.observe(max(0.0, timer.late + took))
