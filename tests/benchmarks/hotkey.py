"""``python -m tests.benchmarks.hotkey``: what an entity with far too many records costs the others.

Case by case, each on a stack of its own: first the others alone, then the same beside hot entities whose webhooks take
a second each, or whose destination never answers. Half of the others share the hot entity's partition. From when an
event was due until its log row is committed; the ratio is that to their p99 without hot entities, over all cases of the
run, of whichever half fared worse. The executor is killed in the middle of both halves of the last case, which is
compared with itself.

Prints a table, writes ``build/hotkey.json``, and fails where a ratio is over two, an entity's webhooks came out of
their order, or a worker ended by itself.
"""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson
import psycopg

from tests.benchmarks.beside import LIMIT
from tests.benchmarks.hotkey_job import PLACES, ROLES, Case, Job
from tests.benchmarks.hotkey_receiver import destination
from tests.benchmarks.measure import Rows, percentile
from tests.benchmarks.progress import say
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack

Seconds = dict[str, list[float]]

_BUILD: Final = Path(__file__).resolve().parents[2] / "build"

CASES: Final = (
    Case("120 records", 120),
    Case("5,000 records", 5000, drained=False),
    Case("5 hot keys", 600, keys=5),
    Case("its destination hangs", 120, path="never", drained=False),
    Case("in the high lane", 120, high=True),
    Case("executor killed", 500, kill=True),
)


@dataclass(slots=True)
class Found:
    """What one case came to; by where the others are.

    Attributes:
        alone: Seconds of the others without the hot ones.
        beside: Seconds beside them.
        baseline: p99 without the hot ones in ms, over the whole run; where the executor is killed, of this case.
    """

    case: Case
    alone: Seconds = field(default_factory=dict)
    beside: Seconds = field(default_factory=dict)
    baseline: dict[str, float] = field(default_factory=dict)
    order_kept: bool = False
    peak_rss_mb: float = 0.0
    restarts_beyond_kills: int = 0

    @property
    def p99_ratio(self) -> float:
        """How many times as long it took beside the hot entities."""
        beside = p99s(self.beside)
        return round(max(beside[place] / self.baseline[place] for place in PLACES), 3)

    @property
    def passed(self) -> bool:
        """Whether it is as it should be."""
        return self.p99_ratio <= LIMIT and self.order_kept and not self.restarts_beyond_kills

    def as_json(self) -> dict[str, Any]:
        """Return what is written of it."""
        return {
            "name": self.case.name,
            "p99_ratio": self.p99_ratio,
            "order_kept": self.order_kept,
            "peak_rss_mb": self.peak_rss_mb,
            "restarts_beyond_kills": self.restarts_beyond_kills,
            "baseline_p99_ms": self.baseline,
            "alone_p99_ms": p99s(self.alone),
            "beside_p99_ms": p99s(self.beside),
            "passed": self.passed,
        }


async def measure(place: Servers, case: Case, given: argparse.Namespace, number: int) -> Found:
    """Measure one case: the others alone, then beside the hot ones."""
    say(f"{case.name}: starting")
    database = await asyncio.to_thread(place.fresh_database, f"bench_hotkey_{number}")
    prefix = f"hotkey-{uuid4().hex[:8]}."
    found = Found(case)
    try:
        async with AsyncExitStack() as stack:
            target = await stack.enter_async_context(destination())
            home = place.home / f"case-{number}"
            running = await stack.enter_async_context(Stack(place.bootstrap, database, prefix, home, roles=ROLES))
            connecting = psycopg.AsyncConnection.connect(database, autocommit=True)
            job = Job(running, Rows(await stack.enter_async_context(await connecting)), target, case)
            await job.prepare()
            await job.warm_up(given.rate)
            found.alone = await job.phase(given.seconds, given.rate, 0, kill=case.kill)
            say(f"{case.name}: alone {p99s(found.alone)}")
            found.beside = await job.phase(given.seconds, given.rate, case.records, kill=case.kill)
            say(f"{case.name}: beside {p99s(found.beside)}")
            if case.drained:
                await job.drain()
            found.order_kept = job.in_order() and job.complete()
            found.peak_rss_mb = round(job.peak_rss_mb, 1)
            found.restarts_beyond_kills = len(job.ended)
    finally:
        await remove_topics(place.bootstrap, prefix)
    return found


def p99s(seconds: Seconds) -> dict[str, float]:
    """Return the p99 in ms by place."""
    return {place: round(percentile(found, 0.99) * 1000, 1) for place, found in seconds.items()}


def compare(found: list[Found]) -> None:
    """Set what each case is compared with: a machine that others use too has slow half minutes, so all count."""
    for one in found:
        like = [one] if one.case.kill else [other for other in found if not other.case.kill]
        one.baseline = p99s({place: [took for other in like for took in other.alone[place]] for place in PLACES})


def table(found: list[Found]) -> str:
    """Return what was found as a table."""
    lines = [
        "case                     others             without p99 ms   beside p99 ms   ratio   in order   executor MB"
    ]
    for one in found:
        beside = p99s(one.beside)
        lines += [
            f"{one.case.name:<22}   {place:<14}   {one.baseline[place]:>16.0f}   {beside[place]:>13.0f}   "
            f"{beside[place] / one.baseline[place]:>5.2f}   {'yes' if one.order_kept else 'NO':>8}   "
            f"{one.peak_rss_mb:>11.0f}   {'ok' if one.passed else 'NOT SHOWN'}"
            for place in PLACES
        ]
    return "\n".join(lines)


def write(found: list[Found]) -> None:
    """Write ``build/hotkey.json``."""
    worst = max(one.p99_ratio for one in found)
    _BUILD.mkdir(exist_ok=True)
    said = {"limit": LIMIT, "p99_ratio": worst, "cases": [one.as_json() for one in found]}
    (_BUILD / "hotkey.json").write_bytes(orjson.dumps(said))


async def run(place: Servers, given: argparse.Namespace) -> list[Found]:
    """Measure the cases."""
    found = [
        await measure(place, case, given, number) for number, case in enumerate(CASES, 1) if given.case in case.name
    ]
    compare(found)
    return found


def main() -> None:
    """Read the arguments, measure, print, write, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=40, help="executions a second of the others")
    parser.add_argument("--seconds", type=float, default=30, help="of each half of a case")
    parser.add_argument("--case", default="", help="only cases whose name has this in it")
    given = parser.parse_args()
    say("starting Kafka and Postgres")
    with servers(harness_home("hotkey")) as place:
        place.stamp_commits()
        found = asyncio.run(run(place, given))
    write(found)
    sys.stdout.write(table(found) + "\n")
    sys.exit(0 if all(one.passed for one in found) else 1)


if __name__ == "__main__":
    main()
