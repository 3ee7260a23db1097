"""What waits for circuit breakers, on real Postgres: let go as the breaker says, at a bounded rate, and never lost."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from app.adapters.postgres.releases import PostgresReleases
from app.adapters.postgres.timers import PostgresTimers, PostgresTimerStore
from app.domain.breaker import PROBES, BreakerPolicy
from app.ports import Record, Timer
from app.services.scheduling.timers import TimerLoop
from tests.support.sender import MemorySender
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres

POLICY = BreakerPolicy(timeout=timedelta(seconds=30))
HOOK = "https://shop.example:443"


def topic_of(destination: str) -> str:
    """The topic of the records for a destination, with what a topic's name may have in it."""
    return f"t.{destination.partition('//')[2].replace(':', '.')}"


def parked(count: int, *, destination: str = HOOK, due: float = -1, deadline: float = 300) -> list[Timer]:
    """Return commands that wait for a breaker, with their times in seconds from now."""
    now = datetime.now(UTC)
    return [
        Timer(
            command_id=(command_id := uuid4()),
            execution_id=uuid4(),
            workflow_id=UUID(int=1),
            entity="c-1",
            step=0,
            kind="circuit",
            reason="circuit open",
            due=now + timedelta(seconds=due),
            record=Record(topic_of(destination), b"c-1", str(command_id).encode()),
            destination=destination,
            deadline=now + timedelta(seconds=deadline),
        )
        for _ in range(count)
    ]


async def put(database: str, timers: Sequence[Timer]) -> None:
    """Park commands."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await PostgresTimers(connection).set(timers)


async def breaker(database: str, destination: str = HOOK, *, closed: bool = False, until: float = -1) -> None:
    """Put a breaker into a state; ``until`` in seconds from now."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute(
            "INSERT INTO breakers (destination, closed, until, probes) VALUES (%s, %s, now() + %s, 3)"
            " ON CONFLICT (destination) DO UPDATE SET closed = excluded.closed, until = excluded.until",
            (destination, closed, timedelta(seconds=until)),
        )


async def breakers(database: str) -> list[str]:
    """Return the destinations that have one."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        return [row[0] for row in await (await connection.execute("SELECT destination FROM breakers")).fetchall()]


@asynccontextmanager
async def releasing(database: str, sender: MemorySender, rate: float = 1000) -> AsyncIterator[None]:
    """Run a scheduler's releases."""
    task = asyncio.create_task(TimerLoop(PostgresReleases(database, POLICY, rate=rate), sender).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_an_open_breaker_holds_and_a_half_open_one_lets_probes_go(database: str) -> None:
    """Three of ten, by whom waited longest; of another destination, whose breaker is still open, none."""
    waiting = parked(PROBES, due=-60) + parked(7)
    await breaker(database)
    await breaker(database, "https://open.example:443", until=60)
    await put(database, [*waiting, *parked(2, destination="https://open.example:443")])
    sender = MemorySender()
    async with releasing(database, sender):
        await eventually(lambda: len(sender.records) >= PROBES, what="the probes")
        await breaker(database, until=60)
        await put(database, parked(1, destination="https://late.example:443"))
        await eventually(lambda: sender.on(topic_of("https://late.example:443")), what="one that came after them")
    sent = {UUID(record.value.decode()) for record in sender.on(topic_of(HOOK)) if record.value}
    assert {timer.command_id for timer in waiting[:PROBES]} <= sent
    assert not sender.on(topic_of("https://open.example:443"))


async def test_once_closed_the_rest_goes_at_the_rate_by_one_scheduler(database: str) -> None:
    """Of two schedulers that may: 40 at 50 a second take 0.8 s less one burst; each goes once; then it is forgotten."""
    await breaker(database, closed=True)
    await put(database, parked(40))
    one, two = MemorySender(), MemorySender()
    async with releasing(database, one, rate=50), releasing(database, two, rate=50):
        began = time.monotonic()
        await eventually(lambda: len(one.records) + len(two.records) >= 40, what="all of them")
        took = time.monotonic() - began
        await eventually(lambda: _no_breakers(database), within=15, what="the breaker to be forgotten")
    assert took > 0.5
    assert not (one.records and two.records)
    assert set(Counter(record.value for record in (*one.records, *two.records)).values()) == {1}


async def _no_breakers(database: str) -> bool:
    return await breakers(database) == []


async def test_who_has_waited_too_long_goes_whatever_the_breaker_says(database: str) -> None:
    """It is to fail; those that may still wait stay."""
    await breaker(database, until=60)
    late = parked(2, due=60, deadline=-1)
    await put(database, [*late, *parked(2, due=60)])
    sender = MemorySender()
    async with releasing(database, sender):
        await eventually(lambda: len(sender.records) == 2, what="those that are late")
    assert {record.value for record in sender.records} == {str(timer.command_id).encode() for timer in late}


async def test_a_command_parked_for_a_breaker_that_was_forgotten_is_let_go(database: str) -> None:
    """Its worker had not heard yet that it had closed."""
    await put(database, parked(1))
    sender = MemorySender()
    async with releasing(database, sender):
        await eventually(lambda: len(sender.records) == 1, within=15, what="its release")


async def test_the_timers_loop_leaves_them_alone(database: str) -> None:
    """A timer of another kind that is due later is fired; what waits for a breaker is not its business."""
    waiting = parked(1)
    other = [
        Timer(uuid4(), uuid4(), UUID(int=1), "c", 0, "delay", "", datetime.now(UTC), Record("t.delay", b"", b"{}"))
    ]
    await breaker(database, until=60)
    await put(database, waiting + other)
    sender = MemorySender()
    task = asyncio.create_task(TimerLoop(PostgresTimerStore(database), sender).run())
    await eventually(lambda: sender.records, what="the delay")
    task.cancel()
    assert [record.topic for record in sender.records] == ["t.delay"]
