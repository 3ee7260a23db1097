"""Timers in memory; they pass the same contract tests as those in Postgres."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.ports import Timer
from app.services.timers import DueTimer, TimerSession


class FakeTimers:
    """Implements ``app.ports.Timers`` and ``app.services.timers.TimerStore``.

    Attributes:
        set_timers: By command id.
    """

    def __init__(self) -> None:
        self.set_timers: dict[UUID, Timer] = {}
        self.locked: set[UUID] = set()
        self.listening: list[asyncio.Event] = []

    async def set(self, timers: Sequence[Timer]) -> None:
        """Set timers; one that the command has already is replaced."""
        self.set_timers |= {timer.command_id: timer for timer in timers}
        for event in self.listening:
            event.set()

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
        """Return those that wait for their time, in its order; what waits for a breaker is not among them."""
        return sorted(
            (timer for timer in self.set_timers.values() if timer.kind != "circuit"), key=lambda timer: timer.due
        )


class _Session:
    def __init__(self, store: FakeTimers, told: asyncio.Event) -> None:
        self._store = store
        self._told = told

    async def fire(self, limit: int, send: Callable[[Sequence[DueTimer]], Awaitable[Sequence[DueTimer]]]) -> int:
        now, store = datetime.now(UTC), self._store
        free = [timer for timer in store.waiting() if timer.due <= now and timer.command_id not in store.locked]
        due = [DueTimer(one.command_id, one.record, (now - one.due).total_seconds()) for one in free[:limit]]
        held = {timer.command_id for timer in due}
        store.locked |= held
        try:
            for timer in await send(due) if due else ():
                del store.set_timers[timer.command_id]
        finally:
            store.locked -= held
        return len(due)

    async def postpone(self, timers: Sequence[DueTimer], by: timedelta) -> None:
        due = datetime.now(UTC) + by
        for timer in timers:
            self._store.set_timers[timer.command_id] = replace(self._store.set_timers[timer.command_id], due=due)

    async def next_due(self) -> float | None:
        waiting = self._store.waiting()
        return (waiting[0].due - datetime.now(UTC)).total_seconds() if waiting else None

    async def wait(self, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                await self._told.wait()
        except TimeoutError:
            return
        self._told.clear()
