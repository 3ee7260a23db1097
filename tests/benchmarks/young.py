"""What statements cost a row in a young installation, whose plans were made on empty tables and never since.

``python -m tests.benchmarks.young``: on a Postgres of its own, with autovacuum off as if it had not come by yet. A
connection that prepared its statements at the start claims, finishes and parks receipts and writes the log, in batches,
while the tables grow.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.migrate import upgrade
from app.adapters.postgres.pool import Pool, open_pool
from app.adapters.postgres.receipts import PostgresReceipts
from app.ports import Claim, Park, Record, Timer
from app.settings import Settings
from tests.support.crm import crm_over
from tests.support.executions import document
from tests.support.postgres import new_database, running_postgres
from tests.support.session_home import session_home

_BATCH: Final = 100
_SIZES: Final = (1_000, 4_000, 16_000)
_MEASURED: Final = 20
_TABLES: Final = ("receipts", "execution_keys", "timers")
Took = dict[str, float]


def _claim() -> Claim:
    return Claim(uuid4(), uuid4(), version=1, attempt=1, matched_at=datetime.now(UTC), first=True, parked=0)


def _park(claim: Claim) -> Park:
    record = Record("t.actions.webhook", b"c", b"{}")
    due = datetime.now(UTC) + timedelta(hours=1)
    timer = Timer(claim.command_id, claim.execution_id, UUID(int=1), "c", 0, "retry", "", due, record)
    return Park(timer, parked=1, uncertain=False)


class Young:
    """The installation.

    Attributes:
        rows: Receipts that there are.
    """

    def __init__(self, pool: Pool) -> None:
        self._receipts = PostgresReceipts(pool, "executor-webhook/1", timedelta(seconds=30), crm_over)
        self._log = ExecutionLog(pool)
        self.rows = 0

    async def start(self) -> None:
        """Start, and have every plan made while the tables are empty: a statement's sixth use takes the generic one."""
        await self._receipts.start()
        for _ in range(10):
            await self.batch(2)

    async def batch(self, size: int = _BATCH) -> Took:
        """Claim twice as many, finish one half and park the other, and log the first; returns seconds by statement."""
        claims = [_claim() for _ in range(2 * size)]
        done, parked = claims[:size], claims[size:]
        documents = [
            document(execution_id=str(one.execution_id), version=1, executed_at=one.matched_at.isoformat())
            for one in done
        ]
        self.rows += len(claims)
        return {
            "claim": await _timed(lambda: self._receipts.claim(claims)) / 2,
            "finish": await _timed(lambda: self._receipts.finish([(c.command_id, {"status": 200}) for c in done])),
            "park": await _timed(lambda: self._receipts.park([_park(claim) for claim in parked])),
            "log": await _timed(lambda: self._log.write(documents)),
        }


async def _timed(run: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await run()
    return time.perf_counter() - began


async def measure(url: str) -> None:
    """Print microseconds a row, at each size."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as admin:
        for table in _TABLES:
            await admin.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
    async with open_pool(Settings(DATABASE_URL=url), DatabaseRole.EXECUTOR) as pool:
        young = Young(pool)
        await young.start()
        for size in _SIZES:
            while young.rows < size:
                await young.batch()
            batches = [await young.batch() for _ in range(_MEASURED)]
            middle = {name: sorted(b[name] for b in batches)[_MEASURED // 2] / _BATCH * 1e6 for name in batches[0]}
            sys.stdout.write(
                f"{size:6d} receipts  " + "  ".join(f"{n} {us:4.0f} us" for n, us in middle.items()) + "\n"
            )


def main() -> None:
    """Start the servers and measure."""
    with session_home() as home, running_postgres(home) as admin, new_database(admin) as url:
        upgrade(url)
        asyncio.run(measure(url))


if __name__ == "__main__":
    main()
