"""Postgres and the world outside, as one process of the simulation reaches them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.domain.breaker import BreakerState
from app.domain.errors import ActionFailedError
from app.ports import (
    BreakerStore,
    BreakerWatch,
    Claim,
    ClaimOutcome,
    Entries,
    Entry,
    HttpAnswer,
    HttpRequest,
    Park,
    Receipts,
    Refusal,
    Timer,
    TransactionalEffect,
    Transition,
)
from app.ports.due_timers import DueTimer, TimerSession
from app.ports.execution_log import Logged, LogOutcome, Refused, Repeated, Skipped
from app.ports.outbox import Bounds
from schemas.dead_letter import DeadLetter
from schemas.execution import Execution
from tests.simulation.chaos import Chaos
from tests.simulation.process import Process
from tests.simulation.virtual_time import virtual
from tests.support.timers import FakeTimers


class SimReceipts:
    """Receipts over a connection that gets lost; the adapter asks again. See :class:`app.ports.Receipts`."""

    def __init__(self, receipts: Receipts, process: Process) -> None:
        self.receipts = receipts
        self.process = process

    async def claim(self, claims: Sequence[Claim]) -> list[ClaimOutcome]:
        """Claim."""
        return await self.process.call(lambda: self.receipts.claim(claims), repeats=True)

    async def finish(self, results: Sequence[tuple[UUID, dict[str, Any]]]) -> list[dict[str, Any] | None]:
        """Store results."""
        self.process.moment.set()
        return await self.process.call(lambda: self.receipts.finish(results), repeats=True)

    async def release(self, command_ids: Sequence[UUID], *, uncertain: bool) -> None:
        """Give claims back."""
        await self.process.call(lambda: self.receipts.release(command_ids, uncertain=uncertain), repeats=True)

    async def park(self, parks: Sequence[Park]) -> None:
        """Let commands wait."""
        await self.process.call(lambda: self.receipts.park(parks), repeats=True)

    async def apply(self, claims: Sequence[Claim], effect: TransactionalEffect) -> list[ClaimOutcome]:
        """Carry out effects."""
        return await self.process.call(lambda: self.receipts.apply(claims, effect), repeats=True)


class TimerTable(FakeTimers):
    """The timers' rows, which all processes share; due by the loop's clock.

    Attributes:
        due_at: When each is due, by command.
    """

    def __init__(self) -> None:
        super().__init__()
        self.due_at: dict[UUID, float] = {}
        self.changed = asyncio.Event()

    async def set(self, timers: Sequence[Timer]) -> None:
        """Set timers; one that the command has already is replaced."""
        await super().set(timers)
        self.due_at |= {timer.command_id: virtual(timer.due) for timer in timers}
        self.changed.set()


class SimTimers:
    """The timers as one scheduler sees them; see :class:`app.ports.due_timers.TimerStore`."""

    def __init__(self, table: TimerTable, process: Process) -> None:
        self.table = table
        self.process = process

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TimerSession]:
        """Open a session."""
        await self.process.gate()
        yield self

    async def fire(self, bounds: Bounds, send: Callable[[Sequence[DueTimer]], Awaitable[Sequence[DueTimer]]]) -> int:
        """Send what is due; a process that dies before the commit leaves the rows, and their locks end with it."""
        table = self.table
        await self.process.call(_nothing)
        now = asyncio.get_running_loop().time()
        free = [(due, str(key)) for key, due in table.due_at.items() if due <= now and key not in table.locked]
        mine = {key: table.set_timers[key] for key in (UUID(text) for _, text in sorted(free)[: bounds.rows])}
        table.locked |= mine.keys()
        self.process.on_death(lambda: table.locked.difference_update(mine))  # the server sees the connection end
        try:
            due = [DueTimer(key, timer.record, now - table.due_at[key]) for key, timer in mine.items()]
            sent = await send(due) if due else ()
            await self.process.call(_nothing)
            for timer in sent:
                if table.set_timers.get(timer.command_id) is mine[timer.command_id]:
                    del table.set_timers[timer.command_id], table.due_at[timer.command_id]
        finally:
            table.locked -= mine.keys()
        return len(mine)

    async def set_aside(self, refused: Sequence[tuple[DueTimer, Refusal]], by: timedelta) -> None:
        """Set timers to a later time."""
        for timer, _ in refused:
            self.table.due_at[timer.command_id] += by.total_seconds()

    async def next_due(self) -> float | None:
        """Seconds until the next timer is due."""
        first = min(self.table.due_at.values(), default=None)
        return None if first is None else first - asyncio.get_running_loop().time()

    async def wait(self, within: float) -> None:
        """Return when a timer has been set, or is due."""
        try:
            async with asyncio.timeout(within):
                await self.table.changed.wait()
        except TimeoutError:
            pass
        self.table.changed.clear()
        await self.process.gate()


class SimBreakers:
    """The breakers' table over a connection that gets lost. See :class:`app.ports.BreakerStore`."""

    def __init__(self, store: BreakerStore, process: Process) -> None:
        self.store = store
        self.process = process

    async def change(self, destination: str, transition: Transition) -> tuple[BreakerState | None, datetime]:
        """Change a breaker; one whose answer is lost is asked to change again."""
        return await self.process.call(lambda: self.store.change(destination, transition), repeats=True)

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[BreakerWatch]:
        """Follow the breakers."""
        async with self.store.watch() as watch:
            yield _SimWatch(watch, self.process)


class _SimWatch:
    def __init__(self, watch: BreakerWatch, process: Process) -> None:
        self._watch = watch
        self._process = process

    async def look(self) -> tuple[Mapping[str, BreakerState], datetime]:
        return await self._process.call(self._watch.look)

    async def changed(self, within: float) -> None:
        await self._watch.changed(within)
        await self._process.gate()


class SimEntries:
    """The entries' table over a connection that gets lost. See :class:`app.ports.Entries`."""

    def __init__(self, entries: Entries, process: Process) -> None:
        self.entries = entries
        self.process = process

    async def enter(self, asking: Sequence[Entry]) -> Sequence[datetime | None]:
        """Let executions in; asked again, those that were let in are."""
        return await self.process.call(lambda: self.entries.enter(asking), repeats=True)


@dataclass
class Log:
    """Rows of the log, and dead letters, which all sinks share."""

    rows: dict[UUID, Execution] = field(default_factory=dict)
    letters: dict[tuple[str, int, int], DeadLetter] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


class SimLog:
    """The log as one sink writes it; implements ``LogWriter`` and ``DeadLetterStore``."""

    def __init__(self, log: Log, process: Process) -> None:
        self._log = log
        self.process = process

    async def write(self, documents: Sequence[str]) -> list[LogOutcome]:
        """Write executions; one of an earlier attempt of the execution is replaced."""

        async def insert() -> list[LogOutcome]:
            return [self._insert(Execution.model_validate_json(document)) for document in documents]

        return await self.process.call(insert, repeats=True)

    def _insert(self, execution: Execution) -> LogOutcome:
        known = self._log.rows.get(execution.execution_id)
        if known is not None and known.attempt >= execution.attempt:
            return Skipped("duplicate")
        self._log.rows[execution.execution_id] = execution
        return Logged(execution.status, execution.executed_at, late=False)

    async def store(self, documents: Sequence[str]) -> list[Refused | Repeated | None]:
        """Store dead letters."""

        async def insert() -> list[Refused | Repeated | None]:
            for document in documents:
                letter = DeadLetter.model_validate_json(document)
                self._log.letters[letter.topic, letter.partition, letter.offset] = letter
            return [None] * len(documents)

        return await self.process.call(insert, repeats=True)


@dataclass
class Shop:
    """Who gets the webhooks.

    Attributes:
        carried_out: How often each request's effect happened, by Idempotency-Key.
        times: When each was carried out first.
        shut_until: It answers none before.
    """

    carried_out: Counter[str] = field(default_factory=Counter)
    times: dict[str, float] = field(default_factory=dict)
    shut_until: float = 0.0


class SimHttp:
    """HTTP as one process sends it; see :class:`app.ports.HttpClient`."""

    def __init__(self, shop: Shop, process: Process) -> None:
        self.shop = shop
        self.process = process

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Send; what comes back, if anything does, need not say what happened."""
        del body_limit
        chaos = self.process.chaos
        await self.process.gate()
        await chaos.delay()
        await self.process.gate()
        if chaos.happens():
            raise ActionFailedError("no connection")
        if chaos.happens() or asyncio.get_running_loop().time() < self.shop.shut_until:
            return HttpAnswer(503, {}, "busy")
        self._carry_out(request, chaos)
        if chaos.happens():
            await asyncio.sleep(within * 2)  # the attempt's own deadline comes first
        await chaos.delay()
        await self.process.gate()
        if chaos.happens():
            raise ActionFailedError("connection lost before the answer", effect_unknown=True)
        return HttpAnswer(200, {}, "")

    def _carry_out(self, request: HttpRequest, chaos: Chaos) -> None:
        key = request.headers["Idempotency-Key"]
        self.shop.carried_out[key] += 1
        self.process.moment.set()
        self.shop.times.setdefault(key, asyncio.get_running_loop().time())
        chaos.tell(f"{self.process.name}: effect {key} for the time {self.shop.carried_out[key]}")


async def _nothing() -> None:
    """Do nothing."""
