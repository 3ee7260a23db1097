"""``make large-tables``: the hot statements where receipts and log are large; ``build/large-tables.json``.

In a Postgres of its own the tables grow step by step to ROWS receipts and as many executions' keys (20,000,000 by
default, 8 GB), of the days that receipts are kept; the log's partition of today to a ninetieth of as many executions,
and once more to a ninetieth of ten times as many. At each step the statements run as the roles send them, batch after
batch of new ids over one session: rows a second, Postgres's CPU and write-ahead log for a row, and the plan with what
it touched.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import psycopg

from app.adapters.postgres.claims import columns
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.execution_log_sql import WRITE
from app.adapters.postgres.maintenance import DELETE_KEYS, DELETE_RECEIPTS
from app.adapters.postgres.receipts_sql import CLAIM, CLAIM_NEW, FINISH, LOOK
from app.adapters.postgres.timers import NEXT
from app.embedded.postgres import make_postgres
from app.embedded.service import start
from app.ports import Claim
from tests.benchmarks.progress import say
from tests.benchmarks.sink import batches, prepared
from tests.support.logins import pool_of
from tests.support.servers import Servers, harness_home

_PATH: Final = Path(__file__).resolve().parents[2] / "build" / "large-tables.json"
_BATCH: Final = 100
_LOG_DAYS: Final = 90
_OWNER: Final = ("large-tables", 1)
_STEPS: Final = (100, 10, 1)  # a hundredth of the rows, a tenth, all
_FILL: Final = """
ALTER TABLE receipts DROP CONSTRAINT IF EXISTS receipts_pkey;
ALTER TABLE execution_keys DROP CONSTRAINT IF EXISTS execution_keys_pkey;
INSERT INTO receipts (command_id, execution_id, state, instance, incarnation, result, created_at)
  SELECT gen_random_uuid(), gen_random_uuid(), 2, 'executor-1', 1,
    '{"step": 0, "action_type": "webhook", "status": "success", "output": {"status": 200}, "duration_ms": 12}',
    now() - interval '16 days' * (1 - (n - %(first)s) / %(count)s::float8)
  FROM generate_series(%(first)s::bigint, %(first)s::bigint + %(count)s::bigint - 1) AS n;
INSERT INTO execution_keys (execution_id, version, executed_at, attempt)
  SELECT gen_random_uuid(), 1, now() - interval '16 days' * (1 - (n - %(first)s) / %(count)s::float8), 1
  FROM generate_series(%(first)s::bigint, %(first)s::bigint + %(count)s::bigint - 1) AS n;
ALTER TABLE receipts ADD CONSTRAINT receipts_pkey PRIMARY KEY (command_id);
ALTER TABLE execution_keys ADD CONSTRAINT execution_keys_pkey PRIMARY KEY (execution_id);
"""
_FILL_LOG: Final = """
INSERT INTO automation_logs (id, automation_id, trigger_event, conditions_met, conditions_result, actions_executed,
  status, execution_duration_ms, executed_at, attempt, version, event_id, event_type, entity)
SELECT gen_random_uuid(),
  ('00000000-0000-4000-9000-' || lpad(to_hex((200 * power(random(), 3))::integer %% 200), 12, '0'))::uuid,
  jsonb_build_object('id', 'e-' || n, 'type', 'order.paid', 'source', '/s', 'data',
    jsonb_build_object('text', repeat('x', 400))),
  true, '[]', '[]', 'success', 20,
  date_trunc('day', now(), 'UTC') + random() * (now() - date_trunc('day', now(), 'UTC')),
  1, 1, 'e-' || n, 'order.paid', 'c-' || (200000 * power(random(), 2))::integer
FROM generate_series(1, %(count)s::bigint) AS n
"""
_WAL: Final = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
_LOG_BYTES: Final = """
SELECT sum(pg_total_relation_size(inhrelid))::bigint FROM pg_inherits WHERE inhparent = 'automation_logs'::regclass
"""


@dataclass(frozen=True, slots=True)
class Took:
    """What one statement took."""

    rows_per_s: float
    cpu_us_a_row: float
    wal_bytes_a_row: float
    plan: list[str]


class Session:
    """One session of a role, as which statements are run and timed."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._accounts = Path(f"/proc/{connection.info.backend_pid}/schedstat")

    async def timed(self, statement: str, each: Sequence[Any], rows: int = _BATCH) -> Took:
        """Run a statement with each of the parameters but the first, which it is explained with."""
        plan = await self._plan(statement, each[0])
        wal, before, began = await self._wal(), self._cpu(), time.perf_counter()
        for given in each[1:]:
            await self._connection.execute(statement.encode(), given, binary=True)
        seconds, cpu, count = time.perf_counter() - began, self._cpu() - before, rows * (len(each) - 1)
        logged = (await self._wal() - wal) / count
        return Took(round(count / seconds, 1), round(cpu / count * 1e6, 1), round(logged, 1), plan)

    async def _wal(self) -> int:
        found = await (await self._connection.execute(_WAL)).fetchone()
        return int(found[0]) if found else 0

    async def _plan(self, statement: str, given: Any) -> list[str]:
        explained = f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}"
        return [row[0] for row in await (await self._connection.execute(explained.encode(), given)).fetchall()]

    def _cpu(self) -> float:
        return int(self._accounts.read_text().split()[0]) / 1e9


def claims(count: int) -> list[list[Claim]]:
    """Return batches of claims that nobody has made yet, each of the first step of an execution."""
    now = datetime.now(UTC)
    return [[Claim(uuid4(), uuid4(), 1, 1, now, first=True) for _ in range(_BATCH)] for _ in range(count)]


def claim_parameters(batch: Sequence[Claim]) -> tuple[object, ...]:
    """Return the parameters of CLAIM and CLAIM_NEW."""
    return (*columns(batch), *_OWNER, *_OWNER, "37 seconds")


def finish_parameters(batch: Sequence[Claim]) -> dict[str, object]:
    """Return the parameters of FINISH; ids sorted, as it wants them."""
    ids: list[UUID] = sorted(claim.command_id for claim in batch)
    results = orjson.dumps([{"step": 0, "status": "success"}] * len(ids)).decode()
    return {"ids": ids, "results": results, "instance": _OWNER[0], "incarnation": _OWNER[1]}


async def executor(url: str, count: int) -> dict[str, Took]:
    """Time what an executor sends: claims that are new, claims that came before, what is done."""
    async with pool_of(url, DatabaseRole.EXECUTOR) as pool, pool.connection() as connection:
        session, made = Session(connection), claims(count)
        new = await session.timed(CLAIM_NEW, [claim_parameters(one) for one in made])
        look = await session.timed(LOOK, [(*columns(one), *_OWNER) for one in made])
        again = await session.timed(CLAIM, [claim_parameters(one) for one in claims(count)])
        done = await session.timed(FINISH, [finish_parameters(one) for one in made])
    return {"CLAIM (new)": new, "LOOK": look, "CLAIM (may be there)": again, "FINISH": done}


async def others(url: str, count: int) -> dict[str, Took]:
    """Time the sink's insert, what the scheduler looks for, and what it deletes."""
    async with pool_of(url, DatabaseRole.SINK) as pool, pool.connection() as connection:
        documents = batches(Random(count), count * _BATCH)
        written = await Session(connection).timed(WRITE, [(one,) for one in documents])
    async with pool_of(url, DatabaseRole.SCHEDULER) as pool, pool.connection() as connection:
        session = Session(connection)
        look = await session.timed(NEXT, [()] * count, rows=1)
        deleted = {
            name: await session.timed(statement, [("15 days", 2000)] * 6, rows=2000)
            for name, statement in (("receipts", DELETE_RECEIPTS), ("keys", DELETE_KEYS))
        }
    return {"sink's insert": written, "next timer": look} | {f"delete old {name}": one for name, one in deleted.items()}


def fill(url: str, there: int, rows: int) -> None:
    """Let receipts and keys grow from ``there`` to ``rows``."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
        for statement in _FILL.strip().split(";\n"):
            say(statement.strip().splitlines()[0], passing=True)
            given = {"first": there + 1, "count": rows - there} if "%(" in statement else None
            connection.execute(statement.encode(), given)
        connection.execute("VACUUM (ANALYZE) receipts")
        connection.execute("VACUUM (ANALYZE) execution_keys")


def fill_log(url: str, rows: int) -> None:
    """Let today's partition of the log grow to ``rows``."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        connection.execute("SELECT headrace_make_log_partition((now() AT TIME ZONE 'UTC')::date)")
        there = connection.execute("SELECT count(*) FROM automation_logs").fetchone() or (0,)
        if rows > there[0]:
            connection.execute(_FILL_LOG, {"count": rows - there[0]})
        connection.execute("VACUUM (ANALYZE) automation_logs")


def sizes(url: str) -> dict[str, int]:
    """Return what the tables take with their indexes, in bytes."""
    tables = "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relname IN ('receipts', 'execution_keys')"
    with psycopg.connect(url) as connection:
        found: dict[str, int] = dict(connection.execute(tables).fetchall())
        return found | {"automation_logs": (connection.execute(_LOG_BYTES).fetchone() or (0,))[0]}


def run(url: str, rows: int, count: int) -> list[dict[str, Any]]:
    """Let the tables grow, and measure at each step."""
    found, there = [], 0
    steps = [(rows // part, rows // part // _LOG_DAYS) for part in _STEPS]
    for receipts, log in [*steps, (rows, 10 * rows // _LOG_DAYS)]:
        say(f"{receipts:,} receipts and keys, {log:,} rows of the log in a day")
        if receipts > there:
            fill(url, there, receipts)
            there = receipts
        fill_log(url, log)
        took = asyncio.run(executor(url, count)) | asyncio.run(others(url, count))
        found.append(
            {
                "receipts": receipts,
                "log_of_a_day": log,
                "bytes": sizes(url),
                "took": {name: asdict(one) for name, one in took.items()},
            }
        )
        _PATH.parent.mkdir(exist_ok=True)
        _PATH.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    return found


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """Return it as a table: Postgres's CPU for a row, by how many rows there are."""
    heads = [f"{one['receipts'] / 1e6:g} M / {one['log_of_a_day'] / 1e3:.0f} k" for one in found]
    lines = [f"{'us of CPU a row, receipts / log of a day':<42}" + "".join(f"{head:>18}" for head in heads)]
    lines += [
        f"{name:<42}" + "".join(f"{one['took'][name]['cpu_us_a_row']:>18.1f}" for one in found)
        for name in found[0]["took"]
    ]
    return "\n".join(lines)


def main() -> None:
    """Fill, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--batches", type=int, default=200, help="of each statement")
    given = parser.parse_args()
    postgres = make_postgres(harness_home("large-tables"))
    start(postgres)
    try:
        url = Servers(postgres, postgres, harness_home("large-tables")).fresh_database("large_tables")
        prepared(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("INSERT INTO instances (instance, incarnation) VALUES (%s, %s)", _OWNER)
        found = run(url, given.rows, given.batches)
    finally:
        postgres.stop()
    sys.stdout.write(table(found) + "\n")


if __name__ == "__main__":
    main()
