"""``make hostile``: hostile records on every topic among good events under kills; writes ``build/hostile.json``.

python -m tests.hostile.run --seed 7         other records
python -m tests.hostile.run --short          fewer of them, in about two minutes
python -m tests.hostile.run --only nested    only the kinds whose names hold that
"""

import argparse
import asyncio
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import psycopg

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.embedded.mail import Mailbox
from app.embedded.webhook_receiver import WebhookReceiver
from app.settings import Settings
from app.topics import Topics, TopicSpec, declare
from tests.benchmarks.progress import say
from tests.faults.injuries import kill_each
from tests.faults.job import Job
from tests.faults.judge import Verdict, judge
from tests.hostile.grounds import SOURCED, SOURCES, TYPES, draw_all, foreign_topic, name_of, source_settings
from tests.hostile.judge import Report, judge_letters, letters, unstored
from tests.hostile.sending import Barrage
from tests.hostile.watch import Watch, watching
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import ROLES, Stack

REPORT: Final = Path("build/hostile.json")
EVERY_ROLE: Final = (*ROLES, "sources")
_RATE: Final = 45.0
_STUCK_AFTER_S: Final = 75.0
_MISSING = """SELECT count(*) FROM unnest(%s::uuid[]) AS e(id)
              WHERE NOT EXISTS (SELECT FROM automation_logs l WHERE l.id = e.id)"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sent."""

    good: int
    bad_a_topic: int
    kills: int


FULL: Final = Size(5_000, 300, 2)
SHORT: Final = Size(600, 40, 1)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where one run takes place."""

    stack: Stack
    receiver: WebhookReceiver
    mailbox: Mailbox


async def run(on: Servers, seed: int, size: Size, only: str) -> Report:
    """Run once, on a fresh database and fresh topics."""
    database = on.fresh_database("hostile")
    home = on.home / "stack"
    await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
    topics = Topics(f"h{uuid4().hex[:8]}.")
    mailbox, receiver = Mailbox(), WebhookReceiver()
    await mailbox.start()
    await receiver.start()
    await ensure_topics(on.bootstrap, _specs(topics), replication_factor=1)
    environment = {
        "HEADRACE_SMTP_HOST": "127.0.0.1",
        "HEADRACE_SMTP_PORT": str(mailbox.smtp_port),
        "HEADRACE_SOURCES": orjson.dumps([source_settings(topics)]).decode(),
    }
    roles = dict.fromkeys(EVERY_ROLE, 1)
    try:
        say("starting every role")
        async with Stack(on.bootstrap, database, topics.prefix, home, roles=roles, environment=environment) as stack:
            return await _under_fire(Ground(stack, receiver, mailbox), seed, size, only)
    finally:
        await receiver.stop()
        await mailbox.stop()
        await remove_topics(on.bootstrap, name_of(topics))


async def _under_fire(ground: Ground, seed: int, size: Size, only: str) -> Report:
    report, stack, chance, started = Report(seed), ground.stack, Random(seed), time.monotonic()
    job = Job(f"good-{seed}", size.good, 180, ("big", "wait", "mail", "never"), TYPES, SOURCES)
    await job.prepare(stack.api, ground.receiver.url)
    await stack.settled()
    bad = draw_all(stack.topics, size.bad_a_topic, seed, only)
    barrage = Barrage(stack.bootstrap, job, lambda kind: _topic(stack.topics, kind), bad, chance)
    say(f"{barrage.count} records, {len(bad)} of them hostile")
    async with watching(stack) as watch:
        sending = asyncio.gather(
            barrage.send(_RATE),
            kill_each(size.kills, EVERY_ROLE, kept=True)(stack, chance, barrage.count / _RATE),
        )
        await _done(ground, barrage, watch, sending)
        _, harm = await sending
        verdict = Verdict("hostile", seed)
        await judge(verdict, job, stack.database_url, ground.receiver, ground.mailbox)
    report.good, report.executed = job.count, await _executed(job, stack.database_url)
    report.take_verdict(verdict)
    found = await letters(stack.database_url, name_of(stack.topics))
    judge_letters(report, barrage.places, found | unstored(barrage.places, stack.worker("sink").log_text()))
    report.take_watch(watch.restarts, harm.by_role, watch.memory())
    report.seconds = round(time.monotonic() - started, 1)
    return report


def _specs(topics: Topics) -> Iterator[TopicSpec]:
    """Yield every topic, one of another system too; each takes records of any time, as Kafka did until 3.6."""
    settings = Settings(topic_prefix=topics.prefix)
    for spec in (*declare(settings, REGISTRY.names()), TopicSpec(foreign_topic(topics), 2)):
        yield replace(spec, config={**spec.config, "message.timestamp.after.max.ms": str(2**63 - 1)})


def _topic(topics: Topics, event_type: str) -> str:
    return foreign_topic(topics) if event_type == SOURCED else topics.events(event_type)


async def _done(ground: Ground, barrage: Barrage, watch: Watch, sending: Any) -> None:
    """Wait until nothing is missing any more, or has come for a while: what is missing then is judged as lost."""
    stack, executions = ground.stack, [execution for execution, *_ in barrage.job.expected()]
    seen, moved, told = None, time.monotonic(), 0.0
    while time.monotonic() - moved < _STUCK_AFTER_S:
        rows = await _missing(stack.database_url, executions)
        here = await letters(stack.database_url, name_of(stack.topics))
        absent = len(barrage.places.keys() - here.keys())
        if not sending.done() or (rows, absent) != seen:
            seen, moved = (rows, absent), time.monotonic()
        if sending.done() and not rows and not absent - _kept_in_kafka(barrage):
            break
        if time.monotonic() - told > 10:
            told = time.monotonic()
            restarts = {role: count for role, count in watch.restarts.items() if count}
            say(f"sent {barrage.sent} of {barrage.count}; missing {rows} rows, {absent} letters; restarts {restarts}")
        await asyncio.sleep(1.0)


def _kept_in_kafka(barrage: Barrage) -> int:
    return sum(place[0].endswith("dead-letters") for place in barrage.places)


async def _missing(database_url: str, executions: list[UUID]) -> int:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        row = await (await connection.execute(_MISSING, (executions,))).fetchone()
    return int(row[0]) if row else 0


async def _executed(job: Job, database_url: str) -> int:
    """Return how many good events have all their executions, each ended as it must."""
    expected = {execution: (n, status) for execution, _, n, status in job.expected()}
    query = "SELECT id, status FROM automation_logs WHERE id = ANY(%s)"
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        rows = await (await connection.execute(query, (list(expected),))).fetchall()
    ended = Counter(expected[one][0] for one, status in rows if expected[one][1] == status)
    each = len(job.names)
    return sum(count == each for count in ended.values())


def show(report: Report) -> None:
    """Print the tables, and what is wrong below them."""
    write = sys.stdout.write
    write(f"\n{'topic':<44}{'bad':>6}{'lettered':>10}\n")
    for topic, count in report.by_topic.items():
        write(f"{topic[9:]:<44}{count['bad']:>6}{count['lettered']:>10}\n")
    write(f"\n{'role':<26}{'restarts':>9}{'first third':>13}{'last third':>12}{'peak MiB':>10}\n")
    for role, memory in report.memory.items():
        write(f"{role:<26}{report.restarts.get(role, 0):>9}")
        write(f"{memory['first']:>13.1f}{memory['last']:>12.1f}{memory['peak']:>10.1f}\n")
    write(
        f"\ngood {report.good}, executed {report.executed}, lost {report.lost}, doubled {report.doubled}"
        f" (marked: {report.doubled_marked}); bad {report.bad}, lettered {report.lettered};"
        f" kills {report.kills}, restarts beyond them {report.restarts_beyond_kills};"
        f" {report.seconds:.0f} s: {'holds' if report.holds else 'DOES NOT HOLD'}\n"
    )
    for what in report.wrong:
        write(f"    {what[:300]}\n")
    sys.stdout.flush()


def main() -> None:
    """Read the arguments, run, write, show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with servers(harness_home("hostile")) as on:
        report = asyncio.run(run(on, options.seed, SHORT if options.short else FULL, options.only))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    show(report)
    sys.exit(0 if report.holds else 1)


if __name__ == "__main__":
    main()
