"""``python -m tests.benchmarks.isolation``: what one destination that hangs costs the others.

By one worker of each role, three workflows run at a steady rate: a webhook to a host that answers, an e-mail, a tag. In
turns without and with a fourth: webhooks to a host that accepts and never answers, at 100 a second. From when an
event was due until its log row is committed, by kind; in the same run, so that the machine's noise meets both.

Prints a table, writes ``build/isolation.json``, and fails where a p99 with the hanging destination is more than twice
the one without.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg

from app.domain.ids import execution_id
from app.embedded.free_ports import HOST
from app.embedded.mail import Mailbox
from tests.benchmarks.bench import receiver
from tests.benchmarks.beside import KINDS, Found, Timer, Turns, actions, compared, conclude, event_of
from tests.benchmarks.measure import Rows
from tests.benchmarks.progress import say
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack

_SOURCE: Final = "/isolation"
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


class Job:
    """One stack with the workflows."""

    def __init__(self, stack: Stack, rows: Rows, urls: dict[str, str]) -> None:
        self._stack = stack
        self._timer = Timer(stack, rows, within=_ROWS_WITHIN_S)
        self._urls = urls
        self._types: dict[str, str] = {}
        self._ids: dict[str, UUID] = {}

    async def prepare(self) -> None:
        """Make the workflows."""
        hanging = {"type": "webhook", "config": {"url": f"{self._urls['hanging']}/hangs"}}
        for kind, action in {**actions(self._urls["good"]), "hanging": hanging}.items():
            self._types[kind] = f"custom.i{uuid4().hex[:10]}"
            draft = {"name": kind, "trigger": {"type": self._types[kind]}, "actions": [{"order": 1, **action}]}
            self._ids[kind] = await self._stack.api.create_workflow(draft)
        await self._stack.settled()

    async def turn(self, seconds: float, rate: float, hanging: float, into: Turns) -> None:
        """Send for so long, at ``rate`` of each kind and ``hanging`` to the one that hangs, and add what came of it."""
        await self._timer.turn(seconds, {**dict.fromkeys(KINDS, rate), "hanging": hanging}, self._made, into)

    def _made(self, kind: str) -> tuple[dict[str, Any], UUID | None]:
        event = event_of(_SOURCE, self._types[kind])
        return event, execution_id(self._ids[kind], _SOURCE, event["id"]) if kind in KINDS else None


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
    return compared(setting, alone, beside)


_FAILED: Final = """
SELECT l.id, l.status, l.error_message FROM automation_logs l JOIN automations a ON a.id = l.automation_id
WHERE a.name <> 'hanging' AND a.name NOT LIKE 'custom.canary%' AND l.status <> 'success' LIMIT 3
"""


async def turns(job: Job, setting: str, given: argparse.Namespace) -> tuple[Turns, Turns]:
    """Alternate; the first seconds are for warming up."""
    alone, beside = Turns(), Turns()
    await job.turn(5, given.rate, 0, Turns())
    for number in range(1, given.rounds + 1):
        await job.turn(given.seconds, given.rate, 0, alone)
        say(f"{setting}: round {number}/{given.rounds}: alone")
        await job.turn(given.seconds, given.rate, given.hanging, beside)
        say(f"{setting}: round {number}/{given.rounds}: beside")
    return alone, beside


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
    conclude("isolation", found)


if __name__ == "__main__":
    main()
