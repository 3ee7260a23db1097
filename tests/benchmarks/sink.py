"""What the log's indexes and the notes beside it cost the sink: rows a second, and what Postgres takes for a row.

``python -m tests.benchmarks.sink``: the sink's own statement, and the same without one part each, in turns (A B A B) on
databases of their own that grow alike, over one connection, batch after batch. CPU is the session's own, as the kernel
counts it; what Postgres writes in the background is not in it. Writes ``build/sink.json``.
"""

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final
from uuid import uuid4

import orjson
import psycopg

from app.adapters.postgres import literals
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.execution_log_sql import WRITE
from app.adapters.postgres.migrate import upgrade
from tests.benchmarks.progress import say
from tests.support.executions import OWNER, document
from tests.support.logins import make_logins, pool_of
from tests.support.postgres import new_database, running_postgres
from tests.support.session_home import session_home

_BATCH: Final = 100
_WORKFLOWS: Final = 200
_LOG_INDEXES: Final = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'automation_logs'::regclass"
_ADD_WORKFLOWS: Final = """
INSERT INTO automations (id, name, trigger_type, created_by)
SELECT ('00000000-0000-4000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 'W', 'order.paid', %s
FROM generate_series(0, %s) AS n
"""
Take = Callable[[str], str]


def without(part: str) -> Take:
    """Return what takes a part (a common table expression) out of the statement."""
    pattern = re.compile(rf"\), {part} AS \(\n.*?\n(?=\)( SELECT|,|\nSELECT))", re.DOTALL)

    def take(statement: str) -> str:
        taken, count = pattern.subn("", statement)
        if count != 1:
            raise ValueError(f"the statement has no part {part}")
        return taken

    return take


def _whole(statement: str) -> str:
    return statement


def _before(statement: str) -> str:
    return without("ran")(without("fed")(statement))


@dataclass(frozen=True, slots=True)
class Variant:
    """A form of the statement, and the indexes of the log that it has to do without."""

    name: str
    take: Take = _whole
    dropped: Sequence[str] = ()


NEW_INDEXES: Final = ("idx_automation_logs_entity", "idx_automation_logs_event_type", "idx_automation_logs_trouble")
VARIANTS: Final = (
    Variant("as it is"),
    *(Variant(f"without {name.removeprefix('idx_automation_logs_')}", dropped=(name,)) for name in NEW_INDEXES),
    Variant("without the feed", without("fed")),
    Variant("without last runs", without("ran")),
    Variant("without any of it", _before, NEW_INDEXES),
)


@dataclass(slots=True)
class Turns:
    """What a variant's turns came to."""

    rows_a_second: list[float] = field(default_factory=list)
    cpu_us_a_row: list[float] = field(default_factory=list)


class Side:
    """A variant on a database of its own, with one session of the sink."""

    def __init__(self, variant: Variant, connection: psycopg.AsyncConnection[Any]) -> None:
        self.variant = variant
        self.turns = Turns()
        self._connection = connection
        self._statement = variant.take(WRITE)
        self._accounts = Path(f"/proc/{connection.info.backend_pid}/schedstat")

    async def turn(self, batches: Sequence[literals.JsonArray], *, counts: bool) -> None:
        """Write batches, one after the other."""
        before, began = self._cpu(), time.perf_counter()
        for batch in batches:
            await self._connection.execute(self._statement.encode(), (batch,), binary=True)
        took, cpu, rows = time.perf_counter() - began, self._cpu() - before, len(batches) * _BATCH
        if counts:
            self.turns.rows_a_second.append(rows / took)
            self.turns.cpu_us_a_row.append(cpu / rows * 1e6)

    def _cpu(self) -> float:
        # To the nanosecond; the usual times are in hundredths of a second.
        return int(self._accounts.read_text().split()[0]) / 1e9


def batches(rng: Random, rows: int) -> list[literals.JsonArray]:
    """Return as many rows, in batches as the sink sends them: few workflows have most of them."""

    def one() -> str:
        number = int(_WORKFLOWS * rng.random() ** 3)
        bad = rng.random() < 0.05
        return document(
            workflow_id=f"00000000-0000-4000-9000-{number:012x}",
            entity=f"c-{int(200_000 * rng.random() ** 2)}",
            event={"id": uuid4().hex, "type": f"order.kind{number % 11}", "source": "/s", "data": {"text": "x" * 400}},
            status="failed" if bad else "success",
            error="no answer within 30 s" if bad else None,
            executed_at=datetime.now(UTC).isoformat(),
        )

    return [literals.json_documents([one() for _ in range(_BATCH)]) for _ in range(rows // _BATCH)]


async def measure(urls: Sequence[str], rounds: int, rows: int) -> list[Side]:
    """Take turns, after one that fills the tables and does not count."""
    rng = Random(14)
    async with AsyncExitStack() as opened:
        sides: list[Side] = []
        for variant, url in zip(VARIANTS, urls, strict=True):
            pool = await opened.enter_async_context(pool_of(url, DatabaseRole.SINK))
            sides.append(Side(variant, await opened.enter_async_context(pool.connection())))
        for number in range(rounds + 1):
            for side in sides if number % 2 else reversed(sides):
                await side.turn(batches(rng, rows), counts=number > 0)
            say(f"round {number} of {rounds}")
    return sides


def prepared(url: str) -> None:
    """Migrate a database, and add the workflows whose executions are written."""
    upgrade(url)
    make_logins(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (OWNER,))
        connection.execute(_ADD_WORKFLOWS, (OWNER, _WORKFLOWS - 1))


def _varied(variant: Variant, url: str) -> str:
    prepared(url)
    with psycopg.connect(url, autocommit=True) as connection:
        for index in variant.dropped:
            connection.execute(f"DROP INDEX {index}".encode())
    return url


def main() -> None:
    """Measure on a Postgres of its own; print and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--rows", type=int, default=10_000, help="of each variant a round")
    arguments = parser.parse_args()
    with ExitStack() as opened:
        home = opened.enter_context(session_home())
        admin = opened.enter_context(running_postgres(home))
        urls = [_varied(variant, opened.enter_context(new_database(admin))) for variant in VARIANTS]
        sides = asyncio.run(measure(urls, arguments.rounds, arguments.rows))
    base = median(sides[0].turns.cpu_us_a_row)
    found = {}
    for side in sides:
        rate, cpu = median(side.turns.rows_a_second), median(side.turns.cpu_us_a_row)
        found[side.variant.name] = {"rows_a_second": rate, "cpu_us_a_row": cpu, "share": 1 - cpu / base}
        line = f"{side.variant.name:22}{rate:9.0f} rows/s{cpu:8.1f} us/row  {(1 - cpu / base) * 100:5.1f} % less"
        sys.stdout.write(line + "\n")
    path = Path("build/sink.json")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
