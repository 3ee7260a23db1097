"""``make faults``: the job under one kind of fault after the other; prints a table, writes ``build/faults.json``.

python -m tests.faults.run --seeds 3        each scenario with three seeds; goes on where it was stopped
python -m tests.faults.run --only freeze    one scenario, or several with commas between
python -m tests.faults.run --short          few kinds and events: part of ``make test``; two processes, each
                                            them with servers and scenarios of its own
"""

import argparse
import asyncio
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import psycopg

from app.domain.errors import HeadraceError
from tests.benchmarks.progress import say
from tests.faults.catalogue import LANES, scenarios
from tests.faults.changes import Changes
from tests.faults.grounds import Ground, Site, ground_of, site_of
from tests.faults.job import Job
from tests.faults.judge import Verdict, judge, judge_endings, judge_recovery
from tests.faults.pace import Pace
from tests.faults.report import Report, product, show, show_head
from tests.faults.scenario import Scenario, now
from tests.support.servers import Servers, harness_home, servers
from tests.support.waiting import eventually

REPORT: Final = Path("build/faults.json")
CAUGHT_UP_WITHIN_S: Final = 240.0
AFTER_S: Final = 5.0


def run(scenario: Scenario, seed: int, on: Servers) -> Verdict:
    """Run one scenario on a fresh database and fresh topics; what keeps it from its end is part of the verdict."""
    verdict = Verdict(scenario.name, seed, ordered=scenario.ordered)
    try:
        with ground_of(scenario, on) as ground:
            asyncio.run(_on_site(scenario, verdict, ground))
    except (AssertionError, HeadraceError, psycopg.Error) as error:
        verdict.blame(f"it did not come to its end: {type(error).__name__}: {error}")
    return verdict


async def _on_site(scenario: Scenario, verdict: Verdict, ground: Ground) -> None:
    async with site_of(scenario, verdict.seed, ground) as site:
        await _under_fault(scenario, verdict, site)


async def _under_fault(scenario: Scenario, verdict: Verdict, site: Site) -> None:
    place, stack, seconds = site.place, site.place.stack, scenario.seconds
    job = Job(f"{scenario.name}-{verdict.seed}", scenario.events, scenario.entities, scenario.workflows, open=True)
    await job.prepare(stack.api, site.hooks)
    await stack.settled()
    changes, pace = Changes(job.name), Pace(seconds / 2, scenario.quiet_s)
    flowing = asyncio.gather(
        job.emit(stack.emitter, scenario.rate, pace), changes.flow(stack.api, seconds, pace), return_exceptions=True
    )
    harm = await scenario.injury(place)
    verdict.kills = harm.kills
    at_the_end = job.emitted
    _, recovered_at = await asyncio.gather(_closed(job), caught_up(job, at_the_end, stack.database_url))
    for failed in filter(None, await flowing):
        raise failed
    load_ended = now()
    await caught_up(job, job.count, stack.database_url)
    verdict.recovery_s = round(max(recovered_at - harm.over_at, now() - load_ended), 2)
    await judge(verdict, job, stack.database_url, site.receiver, site.mailbox)
    await changes.judge(verdict, stack)
    judge_endings(verdict, stack.workers)
    judge_recovery(verdict, scenario.recovery_limit)


async def _closed(job: Job) -> None:
    """Close the job a little after its fault: what stands still from then on is seen by what comes then."""
    await asyncio.sleep(AFTER_S)
    job.open = False


async def caught_up(job: Job, events: int, database_url: str, *, within: float = CAUGHT_UP_WITHIN_S) -> float:
    """Wait until every execution of the first ``events`` events has its row; returns the loop's time then."""
    expected = [execution for execution, _, n, _ in job.expected() if n < events]
    query = """SELECT count(*) FROM unnest(%s::uuid[]) AS e(id)
               WHERE EXISTS (SELECT FROM automation_logs l WHERE l.id = e.id)"""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:

        async def complete() -> bool:
            row = await (await connection.execute(query, (expected,))).fetchone()
            return row == (len(expected),)

        try:
            await eventually(complete, within=within, every=0.25, what="the log to catch up")
        except AssertionError as error:
            # What is missing by now is judged as lost.
            sys.stderr.write(f"{error}\n")
    return now()


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
    report = Report(REPORT.with_name("faults-short.json"), product())
    for lane in LANES:
        report.add(Report.of(lane_report(lane), report.tree).verdicts.values())
    report.write()
    return not any(codes)


def one_by_one(options: argparse.Namespace) -> bool:
    """Run scenarios one after the other, on servers that most of them share."""
    report = Report.of(lane_report(options.lane) if options.lane else REPORT, product())
    # The emitter outlives the broker on purpose, and aiokafka says thousands of times a second that it is away.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    home = harness_home(f"faults-{options.lane}" if options.lane else "faults")
    names: set[str] = set()
    for seed in range(options.first, 2 if options.short else options.seeds + 1):
        if options.lane is None:
            # A broker takes long to load what it has of hundreds of topics that are no more: minutes after two seeds.
            shutil.rmtree(home / "kafka", ignore_errors=True)
        with servers(home) as on:
            names |= _with_seed(seed, options, report, on)
    return report.good_of(names)


def _with_seed(seed: int, options: argparse.Namespace, report: Report, on: Servers) -> set[str]:
    """Run what is to be run with a seed; returns its names."""
    todo = list(_todo(seed, options, report, on))
    for count, scenario in enumerate(todo, 1):
        if why := scenario.lacks(on):
            report.not_run[scenario.name] = why
            sys.stdout.write(f"{scenario.name:<18}{seed:>5}  NOT RUN: needs {why}\n")
        else:
            say(f"{count} of {len(todo)}: {scenario.name}, seed {seed}: load for {scenario.seconds:.0f} s")
            report.add([verdict := run(scenario, seed, on)])
            show(verdict)
        report.write()
    return {scenario.name for scenario in todo}


def _todo(seed: int, options: argparse.Namespace, report: Report, on: Servers) -> Iterator[Scenario]:
    """Yield what is to be run with a seed, in the order asked for."""
    names = {scenario.name: scenario for scenario in scenarios(on, short=options.short, idle_s=options.idle)}
    wanted: Iterable[str] = LANES[options.lane] if options.lane else options.only.split(",") if options.only else names
    if unknown := set(wanted) - names.keys():
        raise SystemExit(f"there is no scenario {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
    for name in wanted:
        if report.done(name, seed):
            say(f"{name}, seed {seed}: is done, in {report.path}")
        else:
            yield names[name]


def main() -> None:
    """Run every scenario with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS") or 3))
    parser.add_argument("--first", type=int, default=1, help="the seed to begin with")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", help="names of scenarios, with commas between")
    parser.add_argument("--idle", type=float, default=60, help="seconds of nothing in idle-connections")
    parser.add_argument("--lane", choices=LANES, help="of the short form, the scenarios of one of its two processes")
    options = parser.parse_args()
    if options.lane is None:
        show_head()
    apart = options.lane is None and options.only is None
    good = side_by_side() if options.short and apart else one_by_one(options)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
