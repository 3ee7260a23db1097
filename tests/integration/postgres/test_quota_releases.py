"""What waits for quotas, on real Postgres: let go at each owner's rate, no other timer behind it, none lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.pool import open_pool
from app.adapters.postgres.quota_releases import PostgresQuotaReleases
from app.adapters.postgres.rights import PostgresCallers
from app.adapters.postgres.timers import PostgresParking, PostgresTimers, PostgresTimerStore
from app.ports import Record, Timer
from app.ports.due_timers import TimerStore
from app.services.scheduling.timers import TimerLoop
from app.settings import Settings
from tests.support.logins import as_role
from tests.support.sender import MemorySender
from tests.support.timers import FakeTimers
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres

ONE, OTHER = str(UUID(int=1)), str(UUID(int=2))


def over(count: int, owner: str = ONE, *, due: float = -60) -> list[Timer]:
    """Return runs that wait for their owner's quota, a moment from one to the next."""
    now = datetime.now(UTC)
    return [
        Timer(
            command_id=(command_id := uuid4()),
            execution_id=uuid4(),
            workflow_id=UUID(int=1),
            entity="c-1",
            step=0,
            kind="quota",
            reason="quota",
            due=now + timedelta(seconds=due, milliseconds=number),
            record=Record(f"t.{owner[-1]}", b"c-1", str(command_id).encode()),
            destination=owner,
        )
        for number in range(count)
    ]


@asynccontextmanager
async def running(sender: MemorySender, *stores: TimerStore) -> AsyncIterator[None]:
    """Run a scheduler's loops."""
    async with AsyncExitStack() as stack:
        for store in stores:
            task = asyncio.create_task(TimerLoop(store, sender).run())

            async def end(task: asyncio.Task[None] = task) -> None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

            stack.push_async_callback(end)
        yield


async def put(database: str, timers: Sequence[Timer]) -> None:
    """Set timers."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await PostgresTimers(connection).set(timers)


async def none_left(database: str) -> bool:
    """Tell whether no timer is left."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        return await (await connection.execute("SELECT FROM timers LIMIT 1")).fetchone() is None


async def test_each_owner_goes_on_at_the_rate_and_in_order(database: str) -> None:
    """Twenty a second for each: one with a backlog of hundreds takes nothing of the other's, who has five."""
    mine, others = over(300), over(5, OTHER)
    await put(database, [*mine, *others])
    sender = MemorySender()
    began = time.monotonic()
    async with running(sender, PostgresQuotaReleases(database, 20 * 60)):
        await eventually(lambda: len(sender.on("t.2")) == 5, what="the other's have gone")
        await eventually(lambda: len(sender.on("t.1")) >= 20, what="some of mine have gone")
        took, went = time.monotonic() - began, len(sender.on("t.1"))
    assert went <= 20 * (took + 0.3) + 1
    assert [record.value for record in sender.on("t.1")][:20] == [timer.record.value for timer in mine[:20]]


async def test_other_timers_never_stand_behind_them(database: str) -> None:
    """With thousands of one user's runs due, at one a minute, another's delay fires as if they were not there."""
    await put(database, over(3000))
    sender = MemorySender()
    async with running(sender, PostgresTimerStore(database), PostgresQuotaReleases(database, 1)):
        (delay,) = over(1, OTHER, due=0.2)
        await put(database, [replace(delay, kind="delay", destination=None)])
        await eventually(lambda: bool(sender.on("t.2")), within=3, what="the delay fired")
    assert len(sender.on("t.1")) <= 1


async def test_what_is_due_later_waits_for_its_time(database: str) -> None:
    """And is sent then; nothing of it is left."""
    later = over(2, due=0.5)
    await put(database, later)
    sender = MemorySender()
    async with running(sender, PostgresQuotaReleases(database, 6000)):
        await eventually(lambda: bool(sender.on("t.1")), what="one has gone")
        assert datetime.now(UTC) >= later[0].due
        await eventually(lambda: none_left(database), what="both have gone, and are forgotten")
    assert [record.value for record in sender.on("t.1")] == [timer.record.value for timer in later]


async def test_what_was_begun_or_cancelled_does_not_wait_again(database: str) -> None:
    """An event that comes once more after its execution was cancelled: its receipt stands, and nothing is parked."""
    gone, new = over(2)
    async with (
        open_pool(
            Settings(database_url=SecretStr(as_role(database, DatabaseRole.EXECUTOR))), DatabaseRole.EXECUTOR
        ) as pool,
        await psycopg.AsyncConnection.connect(database, autocommit=True) as connection,
    ):
        await connection.execute(
            "INSERT INTO receipts (command_id, execution_id, state, parked) VALUES (%s, %s, 0, 1)",
            (gone.command_id, gone.execution_id),
        )
        await PostgresParking(pool).park([gone, new])
        found = await (await connection.execute("SELECT command_id FROM timers")).fetchall()
    assert found == [(new.command_id,)]


@pytest.mark.parametrize("kind", ["memory", "postgres"])
async def test_parking_leaves_a_commands_own_timer(request: pytest.FixtureRequest, kind: str) -> None:
    """The executor's, for the retry of a copy that ran meanwhile: replacing it would lose the execution."""
    async with AsyncExitStack() as stack:
        memory = FakeTimers()
        (retry,) = over(1)
        quota = replace(retry, due=retry.due + timedelta(hours=1), record=replace(retry.record, value=b"older"))
        (new,) = over(1)
        if kind == "memory":
            await memory.set([retry])
            await memory.park([quota, new])
            dues = {timer.command_id: timer.due for timer in memory.set_timers.values()}
        else:
            database = request.getfixturevalue("database")
            pool = await stack.enter_async_context(
                open_pool(Settings(database_url=SecretStr(database)), DatabaseRole.EXECUTOR)
            )
            await put(database, [retry])
            await PostgresParking(pool).park([quota, new])
            assert await PostgresCallers(pool.connection, patient=True).read([uuid4()]) == {}
            async with await psycopg.AsyncConnection.connect(database) as connection:
                dues = dict(await (await connection.execute("SELECT command_id, due FROM timers")).fetchall())
    assert dues == {retry.command_id: retry.due, new.command_id: new.due}
