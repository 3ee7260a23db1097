"""Timers in memory; they pass the same contract tests as those in Postgres."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from uuid import UUID

from app.ports import Refusal, Timer
from app.ports.due_timers import DueTimer, TimerSession
from app.ports.outbox import Bounds


class FakeTimers:
    """Implements ``app.ports.Timers``, ``app.ports.Parking`` and ``app.ports.due_timers.TimerStore``.

    Attributes:
        set_timers: By command id.
        refusals: Why Kafka did not take their records, by command id.
    """

    def __init__(self) -> None:
        self.set_timers: dict[UUID, Timer] = {}
        self._over: dict[UUID, datetime] = {}
        self.refusals: dict[UUID, Refusal] = {}
        self.locked: set[UUID] = set()
        self.listening: list[asyncio.Event] = []

    async def set(self, timers: Sequence[Timer]) -> None:
        """Set timers; one that the command has already is replaced."""
        self.set_timers |= {timer.command_id: timer for timer in timers}
        now = datetime.now(UTC)
        self._over |= {one.command_id: now + (one.due - one.asked) for one in timers if one.asked is not None}
        for event in self.listening:
            event.set()

    async def park(self, timers: Sequence[Timer]) -> None:
        """Set timers of commands that have none."""
        await self.set([timer for timer in timers if timer.command_id not in self.set_timers])

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TimerSession]:
        """Listen from here on."""
        told = asyncio.Event()
        self.listening.append(told)
        try:
            yield _Session(self, told)
        finally:
            self.listening.remove(told)

    def waiting(self) -> list[Timer]:
        """Return those that wait for their time, in its order, not for a breaker or a quota."""
        by_time = (timer for timer in self.set_timers.values() if timer.kind in {"delay", "retry"})
        return sorted(by_time, key=self.over_at)

    def over_at(self, timer: Timer) -> datetime:
        """Return when a timer is due, by the clock of this store."""
        return timer.due if timer.asked is None else self._over[timer.command_id]


class _Session:
    def __init__(self, store: FakeTimers, told: asyncio.Event) -> None:
        self._store = store
        self._told = told

    async def fire(self, bounds: Bounds, send: Callable[[Sequence[DueTimer]], Awaitable[Sequence[DueTimer]]]) -> int:
        now, store = datetime.now(UTC), self._store
        free = [
            timer for timer in store.waiting() if store.over_at(timer) <= now and timer.command_id not in store.locked
        ]
        fits = [one for one, before in zip(free, _before(free), strict=True) if before < bounds.size][: bounds.rows]
        due = [DueTimer(one.command_id, one.record, (now - store.over_at(one)).total_seconds()) for one in fits]
        held = {timer.command_id for timer in due}
        store.locked |= held
        try:
            for timer in await send(due) if due else ():
                del store.set_timers[timer.command_id]
        finally:
            store.locked -= held
        return len(due)

    async def set_aside(self, refused: Sequence[tuple[DueTimer, Refusal]], by: timedelta) -> None:
        due, store = datetime.now(UTC) + by, self._store
        for timer, why in refused:
            store.set_timers[timer.command_id] = replace(store.set_timers[timer.command_id], due=due, asked=None)
            store.refusals[timer.command_id] = why

    async def next_due(self) -> float | None:
        waiting = self._store.waiting()
        return (self._store.over_at(waiting[0]) - datetime.now(UTC)).total_seconds() if waiting else None

    async def wait(self, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                await self._told.wait()
        except TimeoutError:
            return
        self._told.clear()


def _before(timers: Sequence[Timer]) -> list[int]:
    """The bytes of those before each."""
    return [*accumulate((timer.record.size for timer in timers), initial=0)][:-1]
