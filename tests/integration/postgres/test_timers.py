"""Timers, in memory and in Postgres: each fires once, on time, by whichever scheduler."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

import psycopg
import pytest
from prometheus_client import REGISTRY

from app.adapters.postgres.timers import DUE, PostgresTimers, PostgresTimerStore
from app.domain.errors import UnreachableError
from app.ports import Record, Refusal, Timer
from app.ports.due_timers import DueTimer, TimerSession, TimerStore
from app.ports.outbox import BATCH_BYTES, Bounds
from app.services.scheduling.timers import TimerLoop
from app.topics import MAX_RECORD_BYTES
from tests.support.deadlines import scaled
from tests.support.sender import MemorySender
from tests.support.timers import FakeTimers
from tests.support.waiting import eventually, in_time


def a_timer(seconds: float, *, value: bytes = b"{}") -> Timer:
    """Return a timer due in so many seconds; its topic names it."""
    command_id = uuid4()
    return Timer(
        command_id=command_id,
        execution_id=uuid4(),
        workflow_id=UUID(int=1),
        entity="c-1",
        step=0,
        kind="delay",
        reason="a test",
        due=datetime.now(UTC) + timedelta(seconds=seconds),
        record=Record(f"t.{command_id}", b"c-1", value),
    )


class World(Protocol):
    """A store of timers, and what can be seen of it."""

    @property
    def store(self) -> TimerStore:
        """The implementation under test."""

    async def put(self, timers: Sequence[Timer]) -> None:
        """Set timers in a transaction of their own."""

    async def dues(self) -> list[datetime]:
        """Return when each timer that is left is due, in that order."""


class MemoryWorld:
    """The fake."""

    def __init__(self, store: FakeTimers | None = None) -> None:
        self.store = store or FakeTimers()

    async def put(self, timers: Sequence[Timer]) -> None:
        await self.store.set(timers)

    async def dues(self) -> list[datetime]:
        return [self.store.over_at(timer) for timer in self.store.waiting()]


class PostgresWorld:
    """A database."""

    def __init__(self, database: str) -> None:
        self.store = PostgresTimerStore(database)
        self._database = database

    async def put(self, timers: Sequence[Timer]) -> None:
        async with await psycopg.AsyncConnection.connect(self._database) as connection:
            await PostgresTimers(connection).set(timers)

    async def dues(self) -> list[datetime]:
        async with await psycopg.AsyncConnection.connect(self._database) as connection:
            rows = await (await connection.execute("SELECT due FROM timers ORDER BY due")).fetchall()
        return [row[0] for row in rows]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest) -> World:
    """One world after the other."""
    return MemoryWorld() if request.param == "memory" else PostgresWorld(request.getfixturevalue("database"))


class RefusingSender(MemorySender):
    """A sender whose broker is away; ``refused`` counts what it did not take."""

    def __init__(self) -> None:
        super().__init__()
        self.reachable = False
        self.refused = 0

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        """Refuse, and count it, or keep."""
        self.refused += not self.reachable
        return await super().deliver(records)


async def left(world: World, count: int) -> bool:
    """Tell whether so many timers are left."""
    return len(await world.dues()) == count


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(), timedelta(hours=1)])
async def test_a_wait_for_some_time_is_that_long_whatever_its_clock_says(world: World, off: timedelta) -> None:
    """Who asks may be an hour ahead or behind; a moment that is asked for stays that moment."""
    began, (some_time, moment) = datetime.now(UTC), (a_timer(30), a_timer(7200))
    asked = began + off
    await world.put([replace(some_time, asked=asked, due=asked + timedelta(seconds=30)), moment])
    first, second = await world.dues()
    assert began + timedelta(seconds=29) <= first <= datetime.now(UTC) + timedelta(seconds=31)
    assert second == moment.due


@asynccontextmanager
async def firing(world: World, sender: MemorySender, *, batch: int = 500) -> AsyncIterator[None]:
    """Run a scheduler's timers."""
    task = asyncio.create_task(TimerLoop(world.store, sender, batch=batch).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def topics(timers: Sequence[Timer]) -> list[str]:
    """Return the topics that tell timers apart."""
    return [timer.record.topic for timer in timers]


async def test_what_is_due_is_sent_oldest_first_and_forgotten(world: World) -> None:
    """Over several batches; what is not due yet stays."""
    due = [a_timer(-seconds) for seconds in (5, 30, 1, 60)]
    await world.put([*due, a_timer(3600)])
    sender = MemorySender()
    async with firing(world, sender, batch=2):
        await eventually(lambda: left(world, 1), what="four to be sent and forgotten")
    in_order = sorted(due, key=lambda timer: timer.due)
    assert [record.topic for record in sender.records] == topics(in_order)


async def test_a_timer_set_meanwhile_is_not_overslept(world: World) -> None:
    """A scheduler that waits for a timer of tomorrow is woken for one that is due in half a second."""
    await world.put([a_timer(86_400)])
    sender = MemorySender()
    async with firing(world, sender):
        soon = a_timer(0.5)
        await world.put([soon])
        await eventually(lambda: topics([soon]) == [record.topic for record in sender.records], what="its record")
    assert datetime.now(UTC) - soon.due < timedelta(seconds=scaled(1))


async def test_a_timer_set_between_looking_and_waiting_is_heard_of(world: World) -> None:
    """Whatever the session asked in between: the wait for the next one ends at once."""
    async with world.store.open() as session:
        assert await session.next_due() is None
        await world.put([a_timer(-1)])
        assert (await session.next_due() or 0) < 0
        await in_time(session.wait(3600), 20, what="being told of the timer")


async def test_what_another_has_taken_is_not_taken(world: World) -> None:
    """While one session sends, the other finds the rest; what the first gives up is there for it after."""
    first, second = a_timer(-2), a_timer(-1)
    await world.put([first, second])
    seen: list[Sequence[DueTimer]] = []

    async def keep(due: Sequence[DueTimer]) -> Sequence[DueTimer]:
        seen.append(due)
        return []

    async with world.store.open() as one, world.store.open() as two:

        async def meanwhile(due: Sequence[DueTimer]) -> Sequence[DueTimer]:
            seen.append(due)
            assert await two.fire(Bounds(5), keep) == 1
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await one.fire(Bounds(1), meanwhile)
        assert await two.fire(Bounds(5), keep) == 2
    assert [[timer.command_id for timer in due] for due in seen] == [
        [first.command_id],
        [second.command_id],
        [first.command_id, second.command_id],
    ]
    assert all(0.9 < due[0].late < 60 for due in seen)


def fired() -> tuple[float, float]:
    """Return how many timers were counted as fired, and how many have a lateness."""
    names = ("headrace_timers_fired_total", "headrace_timer_lateness_seconds_count")
    counted = [REGISTRY.get_sample_value(name) or 0.0 for name in names]
    return counted[0], counted[1]


async def test_only_what_is_sent_and_forgotten_counts_as_fired(world: World) -> None:
    """Not what a broker that is away did not take, though it was tried; each timer counts once."""
    before = fired()
    await world.put([a_timer(-1), a_timer(-2)])
    sender = RefusingSender()
    async with firing(world, sender):
        await eventually(lambda: sender.refused > 0, what="a refusal")
        assert fired() == before
        sender.reachable = True
        await eventually(lambda: left(world, 0), what="the end of both")
        await eventually(lambda: fired() != before, what="the count")
    assert fired() == (before[0] + 2, before[1] + 2)


class ForgetfulTimers(FakeTimers):
    """Timers whose transaction fails once, after everything was sent: the connection is lost at the commit."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TimerSession]:
        """Open a session that fails the first time."""
        async with super().open() as session:
            if not self.failures:
                self.failures += 1
                before = dict(self.set_timers)
                fire = session.fire

                async def failing(bounds: Bounds, send: Callable[..., Awaitable[Sequence[DueTimer]]]) -> int:
                    await fire(bounds, send)
                    self.set_timers = before
                    raise UnreachableError("the connection is lost (told so by the test)")

                session.fire = failing  # type: ignore[method-assign]
            yield session


async def test_what_is_sent_and_not_forgotten_counts_when_it_is() -> None:
    """Sent twice, because the commit failed; fired once."""
    before = fired()
    world = MemoryWorld(ForgetfulTimers())
    await world.put([a_timer(-1)])
    sender = MemorySender()
    async with firing(world, sender):
        await eventually(lambda: left(world, 0), what="the timer's end")
        await eventually(lambda: fired() != before, what="the count")
    assert len(sender.records) == 2
    assert fired() == (before[0] + 1, before[1] + 1)


async def test_two_schedulers_share_the_work(world: World) -> None:
    """Each of 300 timers is sent once, by one of them."""
    await world.put([a_timer(-1) for _ in range(300)])
    one, two = MemorySender(), MemorySender()
    async with firing(world, one, batch=10), firing(world, two, batch=10):
        await eventually(lambda: left(world, 0), what="all to be sent and forgotten")
    sent = Counter(record.topic for record in (*one.records, *two.records))
    assert (len(sent), set(sent.values())) == (300, {1})


async def test_what_kafka_does_not_take_now_is_sent_later(world: World) -> None:
    """With the broker away nothing is forgotten, and no manual step is needed when it is back."""
    await world.put([a_timer(-1)])
    sender = RefusingSender()
    async with firing(world, sender):
        await eventually(lambda: sender.refused > 0, what="a refusal")
        assert await left(world, 1)
        sender.reachable = True
        await eventually(lambda: bool(sender.records), what="its record")
        await eventually(lambda: left(world, 0), what="the end of its timer")


async def test_a_record_that_kafka_never_takes_holds_nobody_up(world: World) -> None:
    """It stays, for later; the others of its batch are sent."""
    good = a_timer(-1)
    await world.put([a_timer(-2, value=b"x" * MAX_RECORD_BYTES), good])
    sender = MemorySender()
    async with firing(world, sender):
        await eventually(lambda: topics([good]) == [record.topic for record in sender.records], what="the good one")
        await eventually(lambda: _postponed(world), what="the other one's new time")


async def test_a_topic_that_does_not_exist_holds_no_timer_up(world: World) -> None:
    """Its timers are set aside for some seconds; the others of the batch are sent, and they are when it exists."""
    lost, good = a_timer(-2), a_timer(-1)
    await world.put([lost, good])
    sender = MemorySender(frozenset({good.record.topic}))
    async with firing(world, sender):
        await eventually(lambda: topics([good]) == [record.topic for record in sender.records], what="the good one")
        await eventually(lambda: _rests(world), what="the other one's new time")
        sender.topics = None
        await eventually(lambda: topics([good, lost]) == [r.topic for r in sender.records], within=20, what="it")
        await eventually(lambda: left(world, 0), what="the end of both")


async def _rests(world: World) -> bool:
    return (await world.dues())[0] > datetime.now(UTC)


async def test_an_execution_whose_command_is_refused_ends(world: World) -> None:
    """What waited and can never be sent is replaced by the end of its execution, and the timer is gone."""
    waiting = a_timer(-1)
    sender = MemorySender()
    sender.most[waiting.record.topic] = 0
    ended = Record("executions", b"k", b"{}")

    def instead(record: Record, _refusal: Refusal) -> Record | None:
        return ended if record == waiting.record else None

    await world.put([waiting])
    task = asyncio.create_task(TimerLoop(world.store, sender, instead=instead).run())
    await eventually(lambda: left(world, 0), what="the end of the timer")
    task.cancel()
    assert sender.records == [ended]


async def test_a_batch_of_timers_is_bounded_in_bytes(world: World) -> None:
    """Twenty records of 600 kB are taken some seven at a time, and all are sent, without a pause in between."""
    await world.put([a_timer(-1, value=b"x" * 600_000) for _ in range(20)])
    sender = MemorySender()
    async with world.store.open() as session:
        taken: list[int] = []

        async def keep(due: Sequence[DueTimer]) -> Sequence[DueTimer]:
            taken.append(len(due))
            return []

        await session.fire(Bounds(500), keep)
    assert taken == [7]
    async with firing(world, sender):
        await eventually(lambda: left(world, 0), what="all to be sent")
    assert len(sender.records) == 20


async def _postponed(world: World) -> bool:
    return (await world.dues())[0] > datetime.now(UTC) + timedelta(minutes=1)


@pytest.mark.postgres
async def test_the_due_query_takes_its_index(database: str) -> None:
    """However many wait, what is due is found by the index on due."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute(
            "INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, due, topic, key,"
            " value)"
            " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'c', 0, 'delay', '',"
            " now() + n * interval '1 s', 't', '', '' FROM generate_series(1, 20000) AS n"
        )
        await connection.execute("ANALYZE timers")
        rows = await (await connection.execute(b"EXPLAIN " + DUE.encode(), (500, BATCH_BYTES))).fetchall()
        assert any("idx_timers_due" in row[0] for row in rows)
