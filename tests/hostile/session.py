"""One run: what is sent and who is killed meanwhile, the wait for its end, and the judgement."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from uuid import UUID

import psycopg

from app.embedded.mail import Mailbox
from app.embedded.webhook_receiver import WebhookReceiver
from app.topics import Topics
from tests.benchmarks.progress import say
from tests.faults.injuries import kill_each
from tests.faults.job import Job
from tests.faults.judge import Verdict, judge
from tests.hostile.grounds import SOURCED, SOURCES, TYPES, draw_all, foreign_topic, name_of
from tests.hostile.judge import Report, failed_rows, judge_letters, letters, unstored
from tests.hostile.others import UNSTORED
from tests.hostile.passed import pass_over
from tests.hostile.planted import DEATHS, READERS, WAYS, plant
from tests.hostile.rows import Rows, judge_rows
from tests.hostile.sending import Barrage
from tests.hostile.watch import Watch, watching
from tests.support.stack import ROLES, Stack

EVERY_ROLE: Final = (*ROLES, "sources")
_RATE: Final = 45.0
_STUCK_AFTER_S: Final = 75.0
_TELL_EVERY_S: Final = 10.0
_MISSING = """SELECT count(*) FROM unnest(%s::uuid[]) AS e(id)
              WHERE NOT EXISTS (SELECT FROM automation_logs l WHERE l.id = e.id)"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sent: good events, hostile records a topic; and how often each role is killed."""

    good: int
    bad_a_topic: int
    kills: int
    only: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run takes place; ``metrics`` are the ports of those roles whose counts are read."""

    stack: Stack
    receiver: WebhookReceiver
    mailbox: Mailbox
    metrics: dict[str, int]


async def under_fire(place: Place, seed: int, size: Size) -> Report:
    """Send, kill, wait, judge."""
    report, stack, chance, started = Report(seed), place.stack, Random(seed), time.monotonic()
    job = Job(f"good-{seed}", size.good, 180, ("big", "wait", "mail", "never"), TYPES, SOURCES)
    await job.prepare(stack.api, place.receiver.url)
    asleep = await stack.api.create_workflow(_ASLEEP, active=False)
    await stack.settled()
    bad = draw_all(stack.topics, asleep, size.bad_a_topic, seed, size.only)
    bad += plant(stack.topics, asleep, chance)
    barrage = Barrage(stack.bootstrap, job, lambda kind: _topic(stack.topics, kind), bad, chance)
    rows = Rows(stack.database_url, stack.topics, Random(seed + 1), asleep)
    say(f"{barrage.count} records, {len(bad)} of them hostile")
    seconds = barrage.count / _RATE
    async with watching(stack) as watch:
        sending = asyncio.gather(
            barrage.send(_RATE),
            kill_each(size.kills, EVERY_ROLE, kept=True)(stack, chance, seconds),
            rows.insert(seconds),
        )
        await _done(stack, barrage, rows, watch, sending)
        _, harm, _ = await sending
        await _judge_good(report, place, job)
        await _judge_bad(report, place, barrage, rows)
    report.take_watch(watch.restarts, harm.by_role, watch.memory(), dict.fromkeys(READERS, len(WAYS) * DEATHS))
    report.seconds = round(time.monotonic() - started, 1)
    return report


async def _judge_good(report: Report, place: Place, job: Job) -> None:
    verdict = Verdict("hostile", report.seed)
    await judge(verdict, job, place.stack.database_url, place.receiver, place.mailbox)
    report.good, report.executed = job.count, await _executed(job, place.stack.database_url)
    report.take_verdict(verdict)


async def _judge_bad(report: Report, place: Place, barrage: Barrage, rows: Rows) -> None:
    stack = place.stack
    found = await letters(stack.database_url, name_of(stack.topics))
    found |= unstored(barrage.places, stack.worker("sink").log_text())
    found |= await failed_rows(stack.database_url, barrage.places)
    judge_letters(report, barrage.places, found)
    queue, _ = await stack.api.call("GET", "/api/v1/queue")
    aside = await rows.set_aside()
    for what in judge_rows(rows.places, aside, queue["set_aside"]):
        report.blame(what)
    try:
        await stack.settled()
    except AssertionError as error:
        report.blame(f"changes of workflows do not arrive in the end: {error}")
    report.add("rows of outbox and timers", len(rows.places), len(aside.keys() & rows.places.keys()))
    counts = await pass_over(stack.bootstrap, stack.topics, place.metrics, Random(report.seed))
    for name, count in counts.items():
        report.add(name, count.sent, count.counted)
        if count.sent != count.counted:
            report.blame(f"{name}: {count.counted} counted of {count.sent} that were passed over")


_ASLEEP: Final = {
    "name": "that of hostile slips",
    "trigger": {"type": "custom.asleep"},
    "actions": [{"type": "stop_workflow", "order": 1, "config": {}}],
}


def _topic(topics: Topics, event_type: str) -> str:
    return foreign_topic(topics) if event_type == SOURCED else topics.events(event_type)


async def _done(stack: Stack, barrage: Barrage, rows: Rows, watch: Watch, sending: Any) -> None:
    """Wait until nothing is missing any more, or has come for a while: what is missing then is judged as lost."""
    executions = [execution for execution, *_ in barrage.job.expected()]
    seen, moved, told = Missing(), time.monotonic(), 0.0
    while time.monotonic() - moved < _STUCK_AFTER_S:
        missing = await _look(stack, barrage, rows, executions)
        if not sending.done() or missing != seen:
            seen, moved = missing, time.monotonic()
        if sending.done() and missing == Missing():
            break
        if time.monotonic() - told > _TELL_EVERY_S:
            told = time.monotonic()
            restarts = {role: count for role, count in watch.restarts.items() if count}
            say(f"sent {barrage.sent} of {barrage.count}; {missing}; restarts {restarts}")
        await asyncio.sleep(1.0)


@dataclass(frozen=True, slots=True)
class Missing:
    """What has not come yet: of what is sent so far all but the executions, which are those of the whole run."""

    executions: int = 0
    letters: int = 0
    set_aside: int = 0


async def _look(stack: Stack, barrage: Barrage, rows: Rows, executions: list[UUID]) -> Missing:
    here = await letters(stack.database_url, name_of(stack.topics))
    elsewhere = await failed_rows(stack.database_url, barrage.places)
    places = {place for place, drawn in barrage.places.items() if drawn.kind.reason != UNSTORED}
    aside = await rows.set_aside()
    return Missing(
        await _without_row(stack.database_url, executions),
        len(places - here.keys() - elsewhere.keys()),
        len(rows.places.keys() - aside.keys()),
    )


async def _without_row(database_url: str, executions: list[UUID]) -> int:
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
