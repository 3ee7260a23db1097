"""``python -m tests.benchmarks.priority``: how soon a high-priority execution finishes while normal ones wait.

The job: event -> webhook POST -> tag -> logged row, by one worker of each role. First 10,000 normal commands are made
to wait (the executor is frozen while the matcher plans them); then it goes on, and high-priority events are sent, one
after the other. Counted from before an event is sent until its row can be read, for as long as normal commands wait.
Twice: at a destination that takes half a second for each request, where the normal lane is full all the time, and at
one that answers at once, where the processor is.

Prints a table, writes ``build/priority.json``, and fails where an execution takes 2 s or more.
"""

import argparse
import asyncio
import math
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import psycopg

from app.adapters.kafka.depths import KafkaDepths
from app.domain.ids import execution_id
from app.domain.kafka_connection import KafkaConnection
from app.embedded.webhook_receiver import WebhookReceiver
from app.ports.queue_status import Lane
from tests.benchmarks.bench import receiver
from tests.benchmarks.measure import percentile
from tests.benchmarks.progress import say
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack
from tests.support.waiting import eventually

LIMIT_S: Final = 2.0
_BUILD: Final = Path(__file__).resolve().parents[2] / "build"
_SOURCE: Final = "/priority"
_ENOUGH: Final = 10
_BATCH: Final = 1000
_SLOW_S: Final = 0.5
_PLANNED_WITHIN_S: Final = 60.0
_ROW_WITHIN_S: Final = 60.0
_ROW: Final = "SELECT status FROM automation_logs WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Found:
    """What one destination came to; times in seconds, ``waiting`` in commands of the normal lane."""

    destination: str
    waiting_before: int
    waiting_after: int
    executions: int
    p50_s: float
    max_s: float

    @property
    def passed(self) -> bool:
        """Whether each execution was soon enough, and there were enough while normal ones waited."""
        return self.max_s < LIMIT_S and self.executions >= _ENOUGH


class Job:
    """One stack with both workflows, and a backlog of normal commands."""

    def __init__(self, stack: Stack, depths: KafkaDepths, url: str) -> None:
        self._stack = stack
        self._depths = depths
        self._url = url
        self._kinds = {name: f"custom.{name}-{uuid4().hex[:8]}" for name in ("normal", "high")}
        self._high = UUID(int=0)
        topics = stack.topics
        self._lane = Lane("", f"{topics.prefix}executor-system", topics.actions("webhook", "normal"), "normal")

    async def prepare(self, waiting: int) -> int:
        """Make the workflows, and so many normal commands wait; returns how many do."""
        await self._workflow("normal", 5)
        self._high = await self._workflow("high", 1)
        await self._stack.settled()
        executor = self._stack.worker("executor-system")
        executor.signal(signal.SIGSTOP)
        try:
            for start in range(0, waiting, _BATCH):
                await self._stack.emitter.emit_many([self._event("normal") for _ in range(start, start + _BATCH)])
            planned = partial(self._at_least, waiting)
            await eventually(planned, within=_PLANNED_WITHIN_S, every=0.2, what="the backlog of normal commands")
        finally:
            executor.signal(signal.SIGCONT)
        return await self.waiting()

    async def waiting(self) -> int:
        """Return how many normal webhook commands are not finished."""
        depths = await self._depths.depths([self._lane])
        return depths.get(self._lane.topic, 0)

    async def high(self, connection: psycopg.AsyncConnection[Any]) -> float:
        """Send one high-priority event; returns the seconds until its row could be read."""
        event = self._event("high")
        sought = execution_id(self._high, _SOURCE, event["id"])
        began = time.monotonic()
        await self._stack.emitter.emit(event)
        look = partial(_status, connection, sought)
        status = await eventually(look, within=_ROW_WITHIN_S, every=0.01, what="the row")
        took = time.monotonic() - began
        if status != "success":
            raise RuntimeError(f"a high-priority execution ended as {status}")
        return took

    async def _at_least(self, count: int) -> bool:
        return await self.waiting() >= count

    async def _workflow(self, name: str, priority: int) -> UUID:
        actions = [
            {"type": "webhook", "order": 1, "config": {"url": f"{self._url}/{name}"}},
            {"type": "apply_tag", "order": 2, "config": {"tag": name}},
        ]
        draft = {"name": name, "priority": priority, "trigger": {"type": self._kinds[name]}, "actions": actions}
        return await self._stack.api.create_workflow(draft)

    def _event(self, name: str) -> dict[str, Any]:
        customer = f"c-{uuid4().hex[:12]}"
        return {
            "specversion": "1.0",
            "id": uuid4().hex,
            "source": _SOURCE,
            "type": self._kinds[name],
            "subject": customer,
            "data": {"customer": {"id": customer}},
        }


async def _status(connection: psycopg.AsyncConnection[Any], execution: UUID) -> str | None:
    row = await (await connection.execute(_ROW, (execution,))).fetchone()
    return None if row is None else str(row[0])


@asynccontextmanager
async def slow_destination() -> AsyncIterator[str]:
    """Run a destination that takes half a second for each request."""
    server = WebhookReceiver()
    server.behaviour.delay_s = _SLOW_S
    await server.start()
    try:
        yield server.url
    finally:
        await server.stop()


@asynccontextmanager
async def fast_destination() -> AsyncIterator[str]:
    """Run a destination that answers at once."""
    async with receiver() as (url, _):
        yield url


async def measure(place: Servers, destination: str, url: str, given: argparse.Namespace) -> Found:
    """Measure at one destination."""
    database = await asyncio.to_thread(place.fresh_database, f"bench_priority_{destination}")
    prefix = f"priority-{uuid4().hex[:8]}."
    depths = KafkaDepths(KafkaConnection(place.bootstrap))
    say(f"{destination}: starting")
    try:
        async with (
            Stack(place.bootstrap, database, prefix, place.home / destination) as stack,
            await psycopg.AsyncConnection.connect(database, autocommit=True) as connection,
        ):
            job = Job(stack, depths, url)
            before = await job.prepare(given.waiting)
            say(f"{destination}: {before} normal commands wait")
            took, after = await _while_waiting(job, connection, destination, given.executions)
    finally:
        await depths.stop()
        await remove_topics(place.bootstrap, prefix)
    return Found(
        destination, before, after, len(took), percentile(took, 0.5) if took else math.inf, max(took, default=math.inf)
    )


async def _while_waiting(
    job: Job, connection: psycopg.AsyncConnection[Any], destination: str, most: int
) -> tuple[list[float], int]:
    """Measure while normal commands wait; returns the seconds of each, and how many waited after the last."""
    took: list[float] = []
    waited = 0
    while len(took) < most:
        seconds = await job.high(connection)
        waiting = await job.waiting()
        if not waiting:
            break
        took.append(seconds)
        waited = waiting
        say(f"{destination}: {len(took)}/{most}: {seconds:.3f} s", passing=True)
    return took, waited


def table(found: list[Found]) -> str:
    """Return what was found as a table."""
    lines = ["destination   waiting before   waiting after   executions   p50 s   max s"]
    lines += [
        f"{one.destination:<11}   {one.waiting_before:>14}   {one.waiting_after:>13}   {one.executions:>10}"
        f"   {one.p50_s:>5.3f}   {one.max_s:>5.3f}   {'ok' if one.passed else 'NOT SHOWN'}"
        for one in found
    ]
    return "\n".join(lines)


async def run(place: Servers, given: argparse.Namespace) -> list[Found]:
    """Measure at both destinations."""
    found: list[Found] = []
    for name, destination in (("slow", slow_destination), ("fast", fast_destination)):
        async with destination() as url:
            found.append(await measure(place, name, url, given))
            say(f"{name}: p50 {found[-1].p50_s:.3f} s, max {found[-1].max_s:.3f} s")
    return found


def main() -> None:
    """Read the arguments, measure, print, write, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiting", type=int, default=10_000, help="normal commands that wait")
    parser.add_argument("--executions", type=int, default=30, help="high-priority executions to measure")
    given = parser.parse_args()
    say("starting Kafka and Postgres")
    with servers(harness_home("priority")) as place:
        found = asyncio.run(run(place, given))
    _BUILD.mkdir(exist_ok=True)
    written = [{**asdict(one), "passed": one.passed} for one in found]
    (_BUILD / "priority.json").write_bytes(orjson.dumps({"limit_s": LIMIT_S, "found": written}))
    sys.stdout.write(table(found) + "\n")
    sys.exit(0 if all(one.passed for one in found) else 1)


if __name__ == "__main__":
    main()
