"""``make upgrade AGAINST=<commit>``: an older commit's installation is exchanged for this one's under load, and back.

The older commit runs on its own migrations and packages while events and changes of workflows flow. Then what
docs/upgrading.md says is done: this clone's migrations and topics are applied, every process is exchanged one by one in
its order, and exchanged back in the opposite order. Delays and retries wait over both. Prints a table, writes
``build/upgrade.json``; some ten minutes.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson

from app.domain.errors import UnreachableError
from app.embedded.mail import Mailbox
from app.embedded.webhook_receiver import WebhookReceiver
from tests.benchmarks.progress import say
from tests.faults.changes import Changes
from tests.faults.job import Job
from tests.faults.judge import Verdict, judge
from tests.faults.run import caught_up
from tests.support.broker import remove_topics
from tests.support.code import Code
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack
from tests.upgrade.found import Exchange, Found, look
from tests.upgrade.refusing import Refusing, judge_retries
from tests.upgrade.versions import BEFORE, ROOT, both

# The order of docs/upgrading.md: who reads a record is new before who writes it.
ORDER: Final = (
    "sink",
    "executor-notification",
    "executor-crm",
    "executor-workflow",
    "executor-system",
    "matcher",
    "scheduler",
    "admin",
)
# Old and new side by side in one group, too.
WORKERS: Final = {"executor-system": 2, "matcher": 2}
NAMES: Final = ("big", "wait", "mail", "again", "never")
_PERIOD_S: Final = 12.0
_CHANGES_S: Final = 10.0
_ENDLESS: Final = 1_000_000
_ENTITIES: Final = 200


@dataclass(slots=True)
class Timeline:
    """When (seconds since the epoch) which part began, and each exchange of a process."""

    began: dict[str, float] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)

    def enter(self, part: str) -> None:
        """Begin a part; the one before has ended."""
        say(part)
        self.began[part] = time.time()


class Upgrade:
    """One upgrade of a running stack, and the way back."""

    def __init__(self, stack: Stack, old: Code, new: Code) -> None:
        self._stack = stack
        self._old = old
        self._new = new
        self.timeline = Timeline()

    async def there_and_back(self) -> None:
        """Exchange everything and exchange it back, with some time before, between and after."""
        self.timeline.enter("old")
        await asyncio.sleep(_PERIOD_S)
        self.timeline.enter("upgrade")
        await self._stack.install(self._new)
        await self._exchange(ORDER, self._new)
        self.timeline.enter("new")
        await asyncio.sleep(_PERIOD_S)
        self.timeline.enter("rollback")
        await self._exchange(ORDER[::-1], self._old)
        self.timeline.enter("old again")
        await asyncio.sleep(_PERIOD_S)
        self.timeline.enter("end")

    async def _exchange(self, order: Sequence[str], code: Code) -> None:
        for role in order:
            for worker in [one for one in self._stack.workers if one.role == role]:
                began = time.time()
                await self._stack.exchange(worker, code)
                await self._stack.ready(roles=[role])
                done = Exchange(role, worker.name, code.name, began, time.time())
                self.timeline.exchanges.append(done)
                say(f"{worker.name} runs the {code.name} code after {done.ended - began:.1f} s")


async def run(on: Servers, old: Code, new: Code, *, rate: float, delay_s: int) -> tuple[Verdict, Timeline, Found]:
    """Upgrade a fresh installation of the old code and go back, under load; returns what came of it."""
    database, prefix = on.fresh_database("upgrade"), f"u{uuid4().hex[:8]}."
    mailbox, receiver, refusing = Mailbox(), WebhookReceiver(), Refusing(delay_s)
    async with AsyncExitStack() as ends:
        ends.push_async_callback(remove_topics, on.bootstrap, prefix)
        for each in (mailbox, receiver, refusing):
            await each.start()
            ends.push_async_callback(each.stop)
        environment = {
            "HEADRACE_SMTP_HOST": "127.0.0.1",
            "HEADRACE_SMTP_PORT": str(mailbox.smtp_port),
            # What is asked is whether anything is lost, not how fast this machine answers meanwhile.
            "HEADRACE_ACTION_TIMEOUT_MS": "15000",
            "WORKFLOW_EXECUTION_TIMEOUT": "120000",
            # A destination that refuses every first attempt is down, to a circuit breaker.
            "CIRCUIT_BREAKER_THRESHOLD": "100000",
        }
        roles = {role: WORKERS.get(role, 1) for role in ORDER}
        home = on.home / "stack" / prefix
        say("starting the old installation")
        stack = await ends.enter_async_context(
            Stack(on.bootstrap, database, prefix, home, roles=roles, environment=environment, code=old)
        )
        job, changes = Job("upgrade", _ENDLESS, _ENTITIES, names=NAMES), Changes("upgrade")
        await job.prepare(stack.api, receiver.url, refusing_url=refusing.url, delay_s=delay_s)
        await _settled(stack)
        timeline = await _under_load(stack, Upgrade(stack, old, new), job, changes, rate)
        say(f"{job.count} events; waiting for what waits")
        await caught_up(job, job.count, database, within=delay_s + 240.0)
        verdict = Verdict("upgrade", 1)
        await judge(verdict, job, database, receiver, mailbox)
        found = await look(database, job, timeline.began, timeline.exchanges)
        judge_retries(verdict, refusing.seen, job.effects("again").keys(), found.uncertain)
        await changes.judge(verdict, stack)
        found.blame(verdict)
        return verdict, timeline, found


async def _settled(stack: Stack) -> None:
    """Wait until the matchers know the workflows; a broker that is slow to lead is waited out, as producers do."""
    while True:
        try:
            await stack.settled()
        except UnreachableError as error:
            say(f"waiting for Kafka: {error}")
        else:
            return


async def _under_load(stack: Stack, upgrade: Upgrade, job: Job, changes: Changes, rate: float) -> Timeline:
    async def change() -> None:
        while not job.ended:
            await changes.flow(stack.api, _CHANGES_S)

    flowing = asyncio.gather(job.emit(stack.emitter, rate), change())
    try:
        await upgrade.there_and_back()
    finally:
        job.ended = True
        await flowing
    return upgrade.timeline


def report(verdict: Verdict, timeline: Timeline, found: Found, commit: str) -> dict[str, Any]:
    """Return all that was found as JSON values."""
    return {
        "against": commit,
        "good": verdict.good,
        "verdict": verdict.as_json(),
        "parts": found.parts,
        "waited_over": found.waited_over,
        "dead_letters": found.dead_letters,
        "exchanges": [
            {"process": one.process, "code": one.code, "s": round(one.ended - one.began, 1)}
            for one in timeline.exchanges
        ],
    }


def table(said: dict[str, Any]) -> str:
    """Return the report as a table."""
    lines = ["part           seconds  executions   p50 s  slowest s"]
    lines += [
        f"{name:<12}{one['seconds']:>10.1f}{one['executions']:>12}{one['p50_s']:>8.2f}{one['slowest_s']:>11.2f}"
        for name, one in said["parts"].items()
    ]
    slowest = max(said["exchanges"], key=lambda one: one["s"], default={"process": "-", "s": 0.0})
    verdict = said["verdict"]
    lines += [f"waited while {change}: {count}" for change, count in said["waited_over"].items()]
    lines += [
        f"slowest exchange of a process: {slowest['process']}, {slowest['s']:.1f} s",
        (
            f"expected {verdict['expected']}, rows {verdict['rows']}, lost {verdict['lost']}, twice and marked"
            f" {verdict['duplicated_marked']}, twice and unmarked {verdict['duplicated_unmarked']},"
            f" out of order {verdict['disordered']}, dead letters {len(said['dead_letters'])},"
            f" changes of workflows {verdict['changes']}: {'good' if said['good'] else 'BAD'}"
        ),
        *(f"    {what[:300]}" for what in verdict["wrong"]),
    ]
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, upgrade, go back, print, write, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", nargs="?", default=BEFORE, help=f"the older commit; {BEFORE} by default")
    parser.add_argument("--rate", type=float, default=10.0, help="events a second")
    parser.add_argument("--delay", type=int, default=120, help="seconds that delays and retries wait")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    home = harness_home("upgrade")
    with both(given.commit, home) as (old, new), servers(home) as on:
        on.stamp_commits()
        verdict, timeline, found = asyncio.run(run(on, old, new, rate=given.rate, delay_s=given.delay))
    said = report(verdict, timeline, found, given.commit)
    path: Path = ROOT / "build" / "upgrade.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2))
    sys.stdout.write(table(said) + "\n")
    sys.exit(0 if verdict.good else 1)


if __name__ == "__main__":
    main()
