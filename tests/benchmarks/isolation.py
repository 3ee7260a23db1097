"""``python -m tests.benchmarks.isolation``: what one destination that hangs costs the others.

By one worker of each role, three workflows run at a steady rate: a webhook to a host that answers, an e-mail, a tag. In
turns without and with a fourth: webhooks to a host that accepts and never answers, at 100 a second. From when an
event was due until its log row is committed, by kind; in the same run, so that the machine's noise meets both.

Prints a table, writes ``build/isolation.json``, and fails where a p99 with the hanging destination is more than twice
the one without.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import psycopg

from app.domain.ids import execution_id
from app.embedded.free_ports import HOST
from app.embedded.mail import Mailbox
from tests.benchmarks.bench import receiver
from tests.benchmarks.measure import Rows, percentile
from tests.benchmarks.progress import say
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack
from tests.support.waiting import eventually

LIMIT: Final = 2.0
KINDS: Final = ("webhook", "e-mail", "tag")
_BUILD: Final = Path(__file__).resolve().parents[2] / "build"
_SOURCE: Final = "/isolation"
_STEP_S: Final = 0.05
_ROWS_WITHIN_S: Final = 60.0
NEVER: Final = {"CIRCUIT_BREAKER_THRESHOLD": "100000"}


@asynccontextmanager
async def hanging_destination() -> AsyncIterator[str]:
    """Run a destination that accepts, reads, and never answers; yields its URL."""
    connections: set[asyncio.Task[None]] = set()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass  # the client gave up: that is what it is to do
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(hang, HOST, 0, backlog=1024)
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(connections):
            task.cancel()


@dataclass(slots=True)
class Phase:
    """Seconds from due to logged of one phase's executions, by kind."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})


@dataclass(frozen=True, slots=True)
class Found:
    """What one kind came to in one setting; p99 in ms."""

    setting: str
    kind: str
    alone_p99_ms: float
    beside_p99_ms: float
    executions: int

    @property
    def ratio(self) -> float:
        """How many times as long it took beside the hanging destination."""
        return self.beside_p99_ms / self.alone_p99_ms


class Job:
    """One stack with the workflows."""

    def __init__(self, stack: Stack, rows: Rows, urls: dict[str, str]) -> None:
        self._stack = stack
        self._rows = rows
        self._urls = urls
        self._types: dict[str, str] = {}
        self._ids: dict[str, UUID] = {}

    async def prepare(self) -> None:
        """Make the workflows."""
        actions = {
            "webhook": {"type": "webhook", "config": {"url": f"{self._urls['good']}/good"}},
            "e-mail": {"type": "send_email", "config": {"to": "a@example.com", "subject": "s", "text": "t"}},
            "tag": {"type": "apply_tag", "config": {"tag": "t"}},
            "hanging": {"type": "webhook", "config": {"url": f"{self._urls['hanging']}/hangs"}},
        }
        for kind, action in actions.items():
            self._types[kind] = f"custom.i{uuid4().hex[:10]}"
            draft = {"name": kind, "trigger": {"type": self._types[kind]}, "actions": [{"order": 1, **action}]}
            self._ids[kind] = await self._stack.api.create_workflow(draft)
        await self._stack.settled()

    async def phase(self, seconds: float, rate: float, hanging: float, into: Phase) -> None:
        """Send for so long, at ``rate`` of each kind and ``hanging`` to the one that hangs, and add what came of it."""
        sent: list[tuple[str, UUID, float]] = []
        due = dict.fromkeys((*KINDS, "hanging"), 0)
        began = time.time()
        while (gone := time.time() - began) < seconds:
            events = []
            for kind, count in due.items():
                pace = hanging if kind == "hanging" else rate
                for number in range(count, int(gone * pace)):
                    event = self._event(kind)
                    events.append(event)
                    if kind in KINDS:
                        sent.append((kind, self._execution(kind, event), began + number / pace))
                due[kind] = int(gone * pace)
            if events:
                await self._stack.emitter.emit_many(events)
            await asyncio.sleep(_STEP_S)
        ids = [one for _, one, _ in sent]
        await eventually(partial(self._all_there, ids), within=_ROWS_WITHIN_S, every=0.2, what="every row")
        for (kind, _, at), committed in zip(sent, await self._rows.committed(ids), strict=True):
            into.seconds[kind].append(committed - at)

    async def _all_there(self, ids: list[UUID]) -> bool:
        return await self._rows.count(ids) == len(ids)

    def _execution(self, kind: str, event: dict[str, Any]) -> UUID:
        return execution_id(self._ids[kind], _SOURCE, event["id"])

    def _event(self, kind: str) -> dict[str, Any]:
        customer = f"c-{uuid4().hex[:12]}"
        about = {"customer": {"id": customer}}
        ids = {"id": uuid4().hex, "source": _SOURCE, "type": self._types[kind], "subject": customer}
        return {"specversion": "1.0", **ids, "data": about}


async def measure(place: Servers, setting: str, environment: dict[str, str], given: argparse.Namespace) -> list[Found]:
    """Measure with one setting, in turns without and with the hanging destination."""
    database = await asyncio.to_thread(place.fresh_database, f"bench_isolation_{setting.replace('-', '_')}")
    prefix = f"isolation-{uuid4().hex[:8]}."
    mailbox = Mailbox()
    await mailbox.start()
    mail = {"HEADRACE_SMTP_HOST": "127.0.0.1", "HEADRACE_SMTP_PORT": str(mailbox.smtp_port)}
    say(f"{setting}: starting")
    try:
        async with AsyncExitStack() as stack:
            good, _ = await stack.enter_async_context(receiver())
            hanging = await stack.enter_async_context(hanging_destination())
            running = await stack.enter_async_context(
                Stack(place.bootstrap, database, prefix, place.home / setting, environment=mail | environment)
            )
            connecting = psycopg.AsyncConnection.connect(database, autocommit=True)
            rows = Rows(await stack.enter_async_context(await connecting))
            job = Job(running, rows, {"good": good, "hanging": hanging})
            await job.prepare()
            alone, beside = await turns(job, setting, given)
            failed = await (await rows.connection.execute(_FAILED)).fetchall()
    finally:
        await mailbox.stop()
        await remove_topics(place.bootstrap, prefix)
    if failed:
        raise RuntimeError(f"executions that do not hang failed: {failed[:3]}")
    return [
        Found(
            setting,
            kind,
            percentile(alone.seconds[kind], 0.99) * 1000,
            percentile(beside.seconds[kind], 0.99) * 1000,
            len(beside.seconds[kind]),
        )
        for kind in KINDS
    ]


_FAILED: Final = """
SELECT l.id, l.status, l.error_message FROM automation_logs l JOIN automations a ON a.id = l.automation_id
WHERE a.name <> 'hanging' AND a.name NOT LIKE 'custom.canary%' AND l.status <> 'success' LIMIT 3
"""


async def turns(job: Job, setting: str, given: argparse.Namespace) -> tuple[Phase, Phase]:
    """Alternate; the first seconds are for warming up."""
    alone, beside = Phase(), Phase()
    await job.phase(5, given.rate, 0, Phase())
    for number in range(1, given.rounds + 1):
        await job.phase(given.seconds, given.rate, 0, alone)
        say(f"{setting}: round {number}/{given.rounds}: alone")
        await job.phase(given.seconds, given.rate, given.hanging, beside)
        say(f"{setting}: round {number}/{given.rounds}: beside")
    return alone, beside


def table(found: list[Found]) -> str:
    """Return what was found as a table."""
    lines = ["setting        kind      executions   alone p99 ms   beside p99 ms   ratio"]
    lines += [
        f"{one.setting:<12}   {one.kind:<7}   {one.executions:>10}   {one.alone_p99_ms:>12.0f}   "
        f"{one.beside_p99_ms:>13.0f}   {one.ratio:>5.2f}   {'ok' if one.ratio <= LIMIT else 'NOT SHOWN'}"
        for one in found
    ]
    return "\n".join(lines)


async def run(place: Servers, given: argparse.Namespace) -> list[Found]:
    """Measure with the circuit breaker as it is, and without one, which leaves the bulkhead alone."""
    return [
        *await measure(place, "default", {}, given),
        *await measure(place, "no-breaker", NEVER, given),
    ]


def main() -> None:
    """Read the arguments, measure, print, write, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=20, help="executions a second of each kind")
    parser.add_argument("--hanging", type=float, default=100, help="webhooks a second to the one that hangs")
    parser.add_argument("--seconds", type=float, default=20, help="of each turn")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    say("starting Kafka and Postgres")
    with servers(harness_home("isolation")) as place:
        place.stamp_commits()
        found = asyncio.run(run(place, given))
    _BUILD.mkdir(exist_ok=True)
    written = [{**asdict(one), "ratio": one.ratio, "passed": one.ratio <= LIMIT} for one in found]
    (_BUILD / "isolation.json").write_bytes(orjson.dumps({"limit": LIMIT, "found": written}))
    sys.stdout.write(table(found) + "\n")
    sys.exit(0 if all(one.ratio <= LIMIT for one in found) else 1)


if __name__ == "__main__":
    main()
