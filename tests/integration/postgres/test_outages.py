"""Postgres away, and answers lost on the way: no adapter needs a manual step (docs/design.md#31-outages)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import psutil
import psycopg
import pytest
from psycopg_pool import PoolClosed

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.migrate import upgrade
from app.adapters.postgres.pool import Pool, is_transient, open_pool, persistently
from app.adapters.postgres.receipts import PostgresReceipts
from app.domain.errors import UnreachableError
from app.embedded.postgres import PostgresNode
from app.embedded.service import start
from app.ports import Claimed, Done
from app.ports.execution_log import Logged
from app.settings import Settings
from tests.support.crm import crm_over
from tests.support.deadlines import scaled
from tests.support.executions import add_workflow, document
from tests.support.receipt_worlds import LEASE, MATCHED, a_claim, tagging
from tests.support.session_home import session_home
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres


class LossyPool:
    """A pool whose answers get lost: what was done is committed, but the caller is told that the connection broke."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.losses = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection, and lose what it says if so told."""
        async with self._pool.connection() as connection:
            yield connection
        if self.losses:
            self.losses -= 1
            raise psycopg.OperationalError("the connection is lost")


@pytest.fixture
async def lossy(pool: Pool) -> LossyPool:
    """A pool that loses nothing yet."""
    return LossyPool(pool)


@pytest.fixture
async def receipts(lossy: LossyPool) -> PostgresReceipts:
    """Receipts over it."""
    made = PostgresReceipts(cast("Pool", lossy), "executor/1", LEASE, crm_over)
    await made.start()
    return made


async def test_a_claim_whose_answer_was_lost_is_granted(lossy: LossyPool, receipts: PostgresReceipts) -> None:
    """Nothing was attempted under it, so it is not uncertain either."""
    lossy.losses = 2
    assert await receipts.claim([a_claim()]) == [Claimed(MATCHED, uncertain=False)]


async def test_a_finish_whose_answer_was_lost_is_stored_once(lossy: LossyPool, receipts: PostgresReceipts) -> None:
    """The result that counts is the own one."""
    claim = a_claim()
    await receipts.claim([claim])
    lossy.losses = 1
    assert await receipts.finish([(claim.command_id, {"n": 1})]) == [{"n": 1}]
    assert await receipts.claim([claim]) == [Done(MATCHED, {"n": 1})]


async def test_an_effect_whose_answer_was_lost_happens_once(lossy: LossyPool, receipts: PostgresReceipts) -> None:
    """The second try finds it done: the effect's own result says that the tag was new."""
    claim = a_claim()
    lossy.losses = 1
    assert await receipts.apply([claim], tagging([claim])) == [Done(MATCHED, {"applied": True})]


async def test_a_row_whose_answer_was_lost_is_written_once(sink_pool: Pool, database: str) -> None:
    """The second try finds the row."""
    add_workflow(database)
    lossy = LossyPool(sink_pool)
    lossy.losses = 1
    await ExecutionLog(cast("Pool", lossy)).write([document()])
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM automation_logs").fetchone() == (1,)


@pytest.mark.parametrize("crash", [False, True])
async def test_a_restart_of_postgres_needs_no_manual_step(*, crash: bool) -> None:
    """What was asked for while it was away is done within 30 s of its return, once, be it a stop or a crash."""
    with session_home() as home:
        node = PostgresNode(home)
        start(node)
        try:
            upgrade(node.url)
            add_workflow(node.url)
            here = Settings(DATABASE_URL=node.url)
            async with open_pool(here, DatabaseRole.EXECUTOR) as pool, open_pool(here, DatabaseRole.SINK) as sink_pool:
                await _survive(pool, ExecutionLog(sink_pool), node, crash=crash)
        finally:
            node.stop()


def _gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def _survive(pool: Pool, log: ExecutionLog, node: PostgresNode, *, crash: bool) -> None:
    receipts = PostgresReceipts(pool, "executor/1", LEASE, crm_over)
    await receipts.start()
    assert isinstance((await log.write([document()]))[0], Logged)
    serving = psutil.Process(node.pid).children()
    await asyncio.to_thread(node.kill if crash else node.stop)
    # Servers whose postmaster was killed answer until they notice.
    await eventually(lambda: all(map(_gone, serving)), within=30, what="the servers to be gone")
    claims = [a_claim(matched_at=datetime.now(UTC)) for _ in range(3)]
    writing = asyncio.create_task(log.write([document()]))
    claiming = asyncio.create_task(receipts.claim([claims[0], claims[1]]))
    applying = asyncio.create_task(receipts.apply([claims[2]], tagging([claims[2]])))
    await eventually(lambda: pool.get_stats().get("requests_errors", 0) > 0, within=30, what="a request failed")
    assert not any((writing.done(), claiming.done(), applying.done()))
    await asyncio.to_thread(start, node)
    back = time.monotonic()
    [logged], held, applied = await asyncio.gather(writing, claiming, applying)
    assert time.monotonic() - back < scaled(30)
    assert isinstance(logged, Logged)
    assert [outcome.uncertain for outcome in held if isinstance(outcome, Claimed)] == [False, False]
    assert [outcome.result for outcome in applied if isinstance(outcome, Done)] == [{"applied": True}]


def _raises(error: Exception, calls: list[int]) -> Callable[[], Any]:
    async def run() -> None:
        calls.append(1)
        raise error

    return run


async def test_what_is_the_statements_fault_is_not_tried_again() -> None:
    """A refused row stays refused: the error comes at once."""
    calls: list[int] = []
    with pytest.raises(psycopg.errors.NotNullViolation):
        await persistently(_raises(psycopg.errors.NotNullViolation("no"), calls))
    assert len(calls) == 1


async def test_patience_ends_at_the_limit() -> None:
    """Then the process is to end without an ack; the error names no secrets."""
    calls: list[int] = []
    error = psycopg.OperationalError("password=hunter2")
    with pytest.raises(UnreachableError) as failure:
        await persistently(_raises(error, calls), limit_s=0.2)
    assert len(calls) > 1
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.AdminShutdown,
        psycopg.errors.CrashShutdown,
        psycopg.errors.CannotConnectNow,
        psycopg.errors.ConnectionFailure,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.SerializationFailure,
        psycopg.errors.TooManyConnections,
        psycopg.errors.ReadOnlySqlTransaction,
        psycopg.OperationalError,
    ],
)
def test_what_is_waited_out(error: type[psycopg.Error]) -> None:
    """Postgres's own state, the network's, and losing against another transaction."""
    assert is_transient(error())


@pytest.mark.parametrize(
    "error", [psycopg.errors.UniqueViolation, psycopg.DataError, psycopg.errors.StatementTooComplex, PoolClosed]
)
def test_what_is_not(error: type[psycopg.Error]) -> None:
    """Trying again cannot help."""
    assert not is_transient(error())


async def test_a_postgres_that_is_not_there_is_said_so(free_port: int) -> None:
    """Opening the pool gives up within 10 s, with one clear line."""
    settings = Settings(DATABASE_URL=f"postgresql://nobody:hunter2@127.0.0.1:{free_port}/none")
    began = time.monotonic()
    with pytest.raises(UnreachableError, match="DATABASE_URL") as failure:
        async with open_pool(settings, DatabaseRole.EXECUTOR):
            pytest.fail("there is none")
    assert time.monotonic() - began < scaled(12)
    assert "hunter2" not in str(failure.value)
