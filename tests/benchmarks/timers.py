"""``python -m tests.benchmarks.timers``: how late delays end, and what looking for due ones costs.

First 10,000 executions wait in a ``delay`` each, all due within one minute; two schedulers fire them, and one is ended
by kill -9 half-way. Each must go on exactly once, as its row and its note say; lateness is from the time that a delay
ends to when the next step has run, read off the log.

Then the query that looks for due timers runs on 1,000,000 that wait, 500 of them due, and Postgres explains it.

Prints both, writes ``build/timers.json``, and fails where a delay is lost, doubled or early, where one in a hundred is
a second late or more, or where the query takes 5 ms or more.
"""

import argparse
import asyncio
import re
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import psycopg

from app.adapters.postgres.migrate import upgrade
from app.adapters.postgres.timers import DUE
from tests.benchmarks.measure import percentile
from tests.benchmarks.progress import say
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import ROLES, Stack
from tests.support.waiting import eventually

LATE_S: Final = 1.0
QUERY_MS: Final = 5.0
_BUILD: Final = Path(__file__).resolve().parents[2] / "build"
_BATCH: Final = 500
_LEAST_LEAD_S: Final = 20.0
_SECONDS_EACH: Final = 0.008
_TURNS: Final = 5
_COUNT: Final = "SELECT count(*) FROM automation_logs WHERE automation_id = %s"
_ROWS: Final = """
SELECT status, attempt, actions_executed->0->'output'->>'until', actions_executed->1->>'executed_at'
FROM automation_logs WHERE automation_id = %s
"""
_FILL: Final = """
INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, due, topic, key, value)
SELECT gen_random_uuid(), gen_random_uuid(), %s, 'c-' || n, 1, 'delay', 'delay', now() + (n - 500) * interval '2 s',
  'headrace.actions.webhook', convert_to('c-' || n, 'UTF8'), convert_to(repeat('x', 500), 'UTF8')
FROM generate_series(1, %s) AS n
"""
_EXECUTION_TIME: Final = re.compile(r"Execution Time: ([0-9.]+) ms")


@dataclass(frozen=True, slots=True)
class Fired:
    """What became of the delays; lateness in seconds."""

    delays: int
    rows: int
    succeeded: int
    notes: int
    doubled_notes: int
    early: int
    p50_s: float
    p99_s: float
    max_s: float

    @property
    def passed(self) -> bool:
        """Whether each went on once, and in time."""
        once = self.rows == self.succeeded == self.notes == self.delays and not self.doubled_notes
        return once and not self.early and self.p99_s < LATE_S


@dataclass(frozen=True, slots=True)
class Looked:
    """What looking for due timers cost: the median of several turns, and the plan of one."""

    waiting: int
    median_ms: float
    plan: list[str]

    @property
    def passed(self) -> bool:
        """Whether it was soon enough."""
        return self.median_ms < QUERY_MS


async def fire(place: Servers, count: int, spread_s: float) -> Fired:
    """Let so many delays end within so many seconds, with a kill half-way."""
    database = await asyncio.to_thread(place.fresh_database, "bench_timers")
    prefix = f"timers-{uuid4().hex[:8]}."
    roles = {**dict.fromkeys(ROLES, 1), "scheduler": 2}
    try:
        async with (
            Stack(place.bootstrap, database, prefix, place.home / "fired", roles=roles) as stack,
            await psycopg.AsyncConnection.connect(database, autocommit=True) as connection,
        ):
            return await _fire(stack, connection, count, spread_s)
    finally:
        await remove_topics(place.bootstrap, prefix)


async def _fire(stack: Stack, connection: psycopg.AsyncConnection[Any], count: int, spread_s: float) -> Fired:
    kind = f"custom.delay-{uuid4().hex[:8]}"
    actions = [
        {"type": "delay", "order": 1, "config": {"until": "{{ until }}"}},
        {"type": "create_note", "order": 2, "config": {"text": "{{ event.id }}"}},
    ]
    workflow = await stack.api.create_workflow({"name": kind, "trigger": {"type": kind}, "actions": actions})
    await stack.settled()
    begin = datetime.now(UTC) + timedelta(seconds=max(_LEAST_LEAD_S, count * _SECONDS_EACH))
    events = [_event(kind, begin + timedelta(seconds=spread_s * n / count)) for n in range(count)]
    for start in range(0, count, _BATCH):
        await stack.emitter.emit_many(events[start : start + _BATCH])
    await _parked(connection, count, begin)
    half_way = begin + timedelta(seconds=spread_s / 2)
    await eventually(lambda: datetime.now(UTC) >= half_way, within=600, every=0.05)
    stack.worker("scheduler", "1").kill()
    say("scheduler 1 killed")
    reached = partial(_rows_are, connection, workflow, count)
    await eventually(reached, within=spread_s + 60, every=0.5, what="every row")
    return await _fired(connection, workflow, events)


def _event(kind: str, until: datetime) -> dict[str, Any]:
    customer = f"c-{uuid4().hex[:12]}"
    return {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "/timers",
        "type": kind,
        "subject": customer,
        "data": {"customer": {"id": customer}, "until": until.isoformat()},
    }


async def _parked(connection: psycopg.AsyncConnection[Any], count: int, begin: datetime) -> None:
    async def all_wait() -> bool:
        return await _number(connection, "SELECT count(*) FROM timers") >= count

    within = (begin - datetime.now(UTC)).total_seconds()
    await eventually(all_wait, within=max(within, 1.0), every=0.2, what="every delay to be set before the first ends")
    say(f"{count} delays wait; the first ends in {(begin - datetime.now(UTC)).total_seconds():.0f} s")


async def _number(connection: psycopg.AsyncConnection[Any], query: str, *params: Any) -> int:
    row = await (await connection.execute(query.encode(), params)).fetchone()
    return int(row[0]) if row else 0


async def _rows_are(connection: psycopg.AsyncConnection[Any], workflow: UUID, count: int) -> bool:
    there = await _number(connection, _COUNT, workflow)
    say(f"{there} of {count} rows", passing=True)
    return there >= count


async def _fired(connection: psycopg.AsyncConnection[Any], workflow: UUID, events: list[dict[str, Any]]) -> Fired:
    rows = await (await connection.execute(_ROWS, (workflow,))).fetchall()
    texts = await (await connection.execute("SELECT text FROM crm.notes")).fetchall()
    notes = Counter(text for (text,) in texts)
    late = [_seconds(until, ran) for _, _, until, ran in rows]
    return Fired(
        delays=len(events),
        rows=len(rows),
        succeeded=sum((status, attempt) == ("success", 1) for status, attempt, _, _ in rows),
        notes=sum(event["id"] in notes for event in events),
        doubled_notes=sum(times > 1 for times in notes.values()),
        early=sum(seconds < 0 for seconds in late),
        p50_s=percentile(late, 0.5),
        p99_s=percentile(late, 0.99),
        max_s=max(late),
    )


def _seconds(until: str, ran: str) -> float:
    return (datetime.fromisoformat(ran) - datetime.fromisoformat(until)).total_seconds()


async def look(place: Servers, waiting: int) -> Looked:
    """Explain the query for due timers, with so many that wait."""
    database = await asyncio.to_thread(place.fresh_database, "bench_timers_due")
    await asyncio.to_thread(upgrade, database)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        say(f"setting {waiting} timers")
        await connection.execute(_FILL, (uuid4(), waiting))
        await connection.execute("VACUUM ANALYZE timers")
        await connection.execute("SET ROLE headrace_service")
        plans = [await _explain(connection) for _ in range(_TURNS)]
    timed = sorted((_execution_ms(plan), plan) for plan in plans)
    median, plan = timed[len(timed) // 2]
    return Looked(waiting, median, plan)


async def _explain(connection: psycopg.AsyncConnection[Any]) -> list[str]:
    """Explain in earnest, and roll back, so that each turn finds the same."""
    async with connection.transaction(force_rollback=True):
        cursor = await connection.execute(b"EXPLAIN (ANALYZE, BUFFERS) " + DUE.encode(), (_BATCH,))
        return [str(row[0]) for row in await cursor.fetchall()]


def _execution_ms(plan: list[str]) -> float:
    found = _EXECUTION_TIME.search("\n".join(plan))
    assert found, plan
    return float(found[1])


def table(fired: Fired, looked: Looked) -> str:
    """Return what was found, for people."""
    counted = f"{fired.rows} rows, {fired.succeeded} of them success, {fired.notes} noted, {fired.doubled_notes} twice"
    late = f"p50 {fired.p50_s:.3f} s, p99 {fired.p99_s:.3f} s, at most {fired.max_s:.3f} s, {fired.early} early"
    query = f"{_BATCH} due of {looked.waiting} looked for in {looked.median_ms:.2f} ms (median of {_TURNS})"
    lines = [
        f"{fired.delays} delays, two schedulers, one killed half-way: {counted}",
        f"lateness: {late}: {_verdict(fired)}",
        f"{query}: {_verdict(looked)}",
    ]
    return "\n".join(lines + [f"  {line}" for line in looked.plan])


def _verdict(found: Fired | Looked) -> str:
    return "ok" if found.passed else "NOT SHOWN"


async def run(place: Servers, given: argparse.Namespace) -> tuple[Fired, Looked]:
    """Do both."""
    fired = await fire(place, given.delays, given.spread)
    say(f"p99 {fired.p99_s:.3f} s")
    return fired, await look(place, given.waiting)


def main() -> None:
    """Read the arguments, measure, print, write, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delays", type=int, default=10_000, help="delays that end")
    parser.add_argument("--spread", type=float, default=60.0, help="seconds within which they do")
    parser.add_argument("--waiting", type=int, default=1_000_000, help="timers that wait while due ones are looked for")
    given = parser.parse_args()
    say("starting Kafka and Postgres")
    with servers(harness_home("timers")) as place:
        fired, looked = asyncio.run(run(place, given))
    _BUILD.mkdir(exist_ok=True)
    written = {
        "fired": {**asdict(fired), "passed": fired.passed},
        "looked": {**asdict(looked), "passed": looked.passed},
    }
    (_BUILD / "timers.json").write_bytes(orjson.dumps(written))
    sys.stdout.write(table(fired, looked) + "\n")
    sys.exit(0 if fired.passed and looked.passed else 1)


if __name__ == "__main__":
    main()
