"""Timers on real Postgres: each fires once, on time, by whichever scheduler."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from app.adapters.postgres.timers import DUE, PostgresTimers, PostgresTimerStore
from app.ports import Record, Timer
from app.services.timers import TimerLoop
from app.topics import MAX_RECORD_BYTES
from tests.support.sender import MemorySender
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres


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


async def put(database: str, timers: Sequence[Timer]) -> None:
    """Set timers in a transaction of their own."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await PostgresTimers(connection).set(timers)


class RefusingSender(MemorySender):
    """A sender whose broker is away; ``refused`` counts what it did not take."""

    def __init__(self) -> None:
        super().__init__()
        self.reachable = False
        self.refused = 0

    async def send_all(self, records: Sequence[Record]) -> None:
        """Refuse, and count it, or keep."""
        self.refused += not self.reachable
        await super().send_all(records)


async def left(database: str, count: int) -> bool:
    """Tell whether so many timers are left."""
    return await waiting(database) == count


async def waiting(database: str) -> int:
    """Return how many timers wait."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        row = await (await connection.execute("SELECT count(*) FROM timers")).fetchone()
        return int(row[0]) if row else 0


@asynccontextmanager
async def firing(database: str, sender: MemorySender, *, batch: int = 500) -> AsyncIterator[None]:
    """Run a scheduler's timers."""
    task = asyncio.create_task(TimerLoop(PostgresTimerStore(database), sender, batch=batch).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def topics(timers: Sequence[Timer]) -> list[str]:
    """Return the topics that tell timers apart."""
    return [timer.record.topic for timer in timers]


async def test_what_is_due_is_sent_oldest_first_and_forgotten(database: str) -> None:
    """Over several batches; what is not due yet stays."""
    due = [a_timer(-seconds) for seconds in (5, 30, 1, 60)]
    await put(database, [*due, a_timer(3600)])
    sender = MemorySender()
    async with firing(database, sender, batch=2):
        await eventually(lambda: left(database, 1), what="four to be sent and forgotten")
    in_order = sorted(due, key=lambda timer: timer.due)
    assert [record.topic for record in sender.records] == topics(in_order)


async def test_a_timer_set_meanwhile_is_not_overslept(database: str) -> None:
    """A scheduler that waits for a timer of tomorrow is woken for one that is due in half a second."""
    await put(database, [a_timer(86_400)])
    sender = MemorySender()
    async with firing(database, sender):
        soon = a_timer(0.5)
        await put(database, [soon])
        await eventually(lambda: topics([soon]) == [record.topic for record in sender.records], what="its record")
    assert datetime.now(UTC) - soon.due < timedelta(seconds=5)


async def test_two_schedulers_share_the_work(database: str) -> None:
    """Each of 300 timers is sent once, by one of them."""
    await put(database, [a_timer(-1) for _ in range(300)])
    one, two = MemorySender(), MemorySender()
    async with firing(database, one, batch=10), firing(database, two, batch=10):
        await eventually(lambda: left(database, 0), what="all to be sent and forgotten")
    sent = Counter(record.topic for record in (*one.records, *two.records))
    assert (len(sent), set(sent.values())) == (300, {1})


async def test_what_kafka_does_not_take_now_is_sent_later(database: str) -> None:
    """With the broker away nothing is forgotten, and no manual step is needed when it is back."""
    await put(database, [a_timer(-1)])
    sender = RefusingSender()
    async with firing(database, sender):
        await eventually(lambda: sender.refused > 0, what="a refusal")
        assert await waiting(database) == 1
        sender.reachable = True
        await eventually(lambda: bool(sender.records), what="its record")
        await eventually(lambda: left(database, 0), what="the end of its timer")


async def test_a_record_that_kafka_never_takes_holds_nobody_up(database: str) -> None:
    """It stays, for later; the others of its batch are sent."""
    good = a_timer(-1)
    await put(database, [a_timer(-2, value=b"x" * MAX_RECORD_BYTES), good])
    sender = MemorySender()
    async with firing(database, sender):
        await eventually(lambda: topics([good]) == [record.topic for record in sender.records], what="the good one")
        await eventually(lambda: _postponed(database), what="the other one's new time")


async def _postponed(database: str) -> bool:
    async with await psycopg.AsyncConnection.connect(database) as connection:
        row = await (await connection.execute("SELECT min(due) > now() FROM timers")).fetchone()
        return row == (True,)


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
        rows = await (await connection.execute(b"EXPLAIN " + DUE.encode(), (500,))).fetchall()
        assert any("idx_timers_due" in row[0] for row in rows)
