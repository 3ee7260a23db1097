"""``make faults``: the job under kills, outages, joins and leaves; prints a table and writes ``build/faults.json``.

python -m tests.faults.run --seeds 3        each scenario with three seeds
python -m tests.faults.run --short          one seed, fewer events: part of ``make test``; two processes, each with
                                            servers and scenarios of its own
python -m tests.faults.run --resume         leaves out what the file holds already
"""

import argparse
import asyncio
import logging
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson
import psycopg

from app.embedded.mail import Mailbox
from app.embedded.webhook_receiver import WebhookReceiver
from tests.faults.changes import Changes
from tests.faults.injuries import Injury, join_and_leave, kill_each, outage
from tests.faults.job import Job
from tests.faults.judge import Verdict, judge
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack
from tests.support.waiting import eventually

REPORT = Path("build/faults.json")
# Of the short form, each with servers of its own: an outage is of its own lane alone.
LANES: Final = {"processes": ("kills", "join-leave"), "servers": ("broker-outage", "postgres-outage")}
OUTAGE_S = 20.0
CAUGHT_UP_WITHIN_S = 240.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of fault; ``recovery_limit`` is how soon (seconds) the log must have caught up after it."""

    name: str
    injury: Injury
    events: int
    rate: float
    entities: int = 200
    recovery_limit: float | None = None


def scenarios(on: Servers, *, short: bool) -> Iterator[Scenario]:
    """Yield what is to be run."""
    events = 1_500 if short else 5_000
    yield Scenario("kills", kill_each(1 if short else 3), events, 75)
    yield Scenario("join-leave", join_and_leave, 1_500 if short else 3_000, 75, entities=50)
    yield Scenario("broker-outage", outage(on.kafka, OUTAGE_S), 1_500, 50, recovery_limit=30)
    yield Scenario("postgres-outage", outage(on.postgres, OUTAGE_S), 1_500, 50, recovery_limit=30)


async def run(scenario: Scenario, seed: int, on: Servers) -> Verdict:
    """Run one scenario on a fresh database and fresh topics."""
    database = on.fresh_database(f"faults_{scenario.name.replace('-', '_')}")
    mailbox, receiver = Mailbox(), WebhookReceiver()
    await mailbox.start()
    await receiver.start()
    prefix = f"f{uuid4().hex[:8]}."
    environment = {"HEADRACE_SMTP_HOST": "127.0.0.1", "HEADRACE_SMTP_PORT": str(mailbox.smtp_port)}
    try:
        async with Stack(on.bootstrap, database, prefix, on.home / "stack" / prefix, environment=environment) as stack:
            return await _under_fault(scenario, seed, stack, receiver, mailbox)
    finally:
        await receiver.stop()
        await mailbox.stop()


async def _under_fault(
    scenario: Scenario, seed: int, stack: Stack, receiver: WebhookReceiver, mailbox: Mailbox
) -> Verdict:
    verdict = Verdict(scenario.name, seed)
    job = Job(f"{scenario.name}-{seed}", scenario.events, scenario.entities)
    await job.prepare(stack.api, receiver.url)
    await stack.settled()
    seconds, changes = scenario.events / scenario.rate, Changes(job.name)
    flowing = asyncio.gather(job.emit(stack.emitter, scenario.rate), changes.flow(stack.api, seconds))
    harm = await scenario.injury(stack, random.Random(seed), seconds)
    verdict.kills = harm.kills
    at_the_end = job.emitted
    await _caught_up(job, at_the_end, stack.database_url)
    verdict.recovery_s = round(asyncio.get_running_loop().time() - harm.over_at, 2)
    await flowing
    await _caught_up(job, job.count, stack.database_url)
    await judge(verdict, job, stack.database_url, receiver, mailbox)
    await changes.judge(verdict, stack)
    if scenario.recovery_limit is not None and verdict.recovery_s > scenario.recovery_limit:
        verdict.blame(f"recovered after {verdict.recovery_s} s, not within {scenario.recovery_limit:g} s")
    return verdict


async def _caught_up(job: Job, events: int, database_url: str) -> None:
    """Wait until every execution of the first ``events`` events has its row."""
    expected = [execution for execution, _, n, _ in job.expected() if n < events]
    query = """SELECT count(*) FROM unnest(%s::uuid[]) AS e(id)
               WHERE EXISTS (SELECT FROM automation_logs l WHERE l.id = e.id)"""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:

        async def complete() -> bool:
            row = await (await connection.execute(query, (expected,))).fetchone()
            return row == (len(expected),)

        try:
            await eventually(complete, within=CAUGHT_UP_WITHIN_S, every=0.25, what="the log to catch up")
        except AssertionError as error:
            # What is missing by now is judged as lost.
            sys.stderr.write(f"{error}\n")


def write(verdicts: list[Verdict], report: Path) -> None:
    """Write the report; after every run, so that a broken-off one loses nothing."""
    report.parent.mkdir(exist_ok=True)
    report.write_bytes(orjson.dumps({"faults": [one.as_json() for one in verdicts]}, option=orjson.OPT_INDENT_2))


def read(report: Path) -> list[Verdict]:
    """Read what an earlier, broken-off run has left."""
    if not report.exists():
        return []
    return [Verdict(**entry) for entry in orjson.loads(report.read_bytes())["faults"]]


def show(verdict: Verdict) -> None:
    """Print one line of the table, and what is wrong below it."""
    sys.stdout.write(
        f"{verdict.name:<16}{verdict.seed:>5}{verdict.kills:>7}{verdict.changes:>9}{verdict.expected:>10}{verdict.rows:>8}{verdict.lost:>6}"
        f"{verdict.duplicated_marked:>14}{verdict.duplicated_unmarked:>16}{verdict.disordered:>11}"
        f"{verdict.recovery_s:>12.1f}{verdict.slowest_s:>11.1f}  {'good' if verdict.good else 'BAD'}\n"
    )
    for what in verdict.wrong:
        sys.stdout.write(f"    {what[:300]}\n")
    sys.stdout.flush()


def lane_report(lane: str) -> Path:
    """Return where a lane writes."""
    return REPORT.with_name(f"faults-{lane}.json")


def side_by_side() -> bool:
    """Run every lane of the short form as a process; each line comes when its scenario ends, all are in the report."""
    for lane in LANES:
        lane_report(lane).unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.faults.run", "--short"]
    running = [subprocess.Popen([*command, "--lane", lane]) for lane in LANES]  # noqa: S603 - ourselves
    codes = [process.wait() for process in running]
    write([verdict for lane in LANES for verdict in read(lane_report(lane))], REPORT)
    return not any(codes)


def one_by_one(options: argparse.Namespace) -> bool:
    """Run scenarios one after the other, on servers that all of them share."""
    report = lane_report(options.lane) if options.lane else REPORT
    verdicts = read(report) if options.resume else []
    done = {(one.name, one.seed) for one in verdicts if one.good}
    wanted = LANES[options.lane] if options.lane else [options.only] if options.only else None
    # The emitter outlives the broker on purpose, and aiokafka says thousands of times a second that it is away.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with servers(harness_home(f"faults-{options.lane}" if options.lane else "faults")) as on:
        for seed in range(1, 2 if options.short else options.seeds + 1):
            for scenario in scenarios(on, short=options.short):
                if (scenario.name, seed) in done or (wanted is not None and scenario.name not in wanted):
                    continue
                verdicts.append(asyncio.run(run(scenario, seed, on)))
                show(verdicts[-1])
                write(verdicts, report)
    return all(one.good for one in verdicts)


def main() -> None:
    """Run every scenario with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS") or 3))
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--only", help="one scenario by name")
    parser.add_argument("--lane", choices=LANES, help="of the short form, the scenarios of one of its two processes")
    options = parser.parse_args()
    if options.lane is None:
        sys.stdout.write(
            "scenario         seed  kills  changes  expected    rows  lost  twice, marked  twice, unmarked  disordered"
            "  recovery s  slowest s\n"
        )
        sys.stdout.flush()
    apart = options.lane is None and options.only is None and not options.resume
    good = side_by_side() if options.short and apart else one_by_one(options)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
