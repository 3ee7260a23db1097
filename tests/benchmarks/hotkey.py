"""``python -m tests.benchmarks.hotkey``: what an entity with far too many records costs the others.

Case by case, each on a stack of its own: first the others alone, then the same beside hot entities whose webhooks take
a second each, or whose destination never answers. Half of the others share the hot entity's partition. From when an
event was due until its log row is committed; the ratio is that of the p99s, of whichever half fared worse. The executor
is killed in the middle of both halves of the last case.

Prints a table, writes ``build/hotkey.json``, and fails where a ratio is over two, an entity's webhooks came out of
their order, or a worker ended by itself.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson
import psycopg

from tests.benchmarks.hotkey_job import PLACES, ROLES, Case, Job
from tests.benchmarks.hotkey_receiver import destination
from tests.benchmarks.isolation import LIMIT
from tests.benchmarks.measure import Rows, percentile
from tests.benchmarks.progress import say
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack

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
    """What one case came to; p99 in ms, by where the others are."""

    name: str
    alone_p99_ms: dict[str, float] = field(default_factory=dict)
    beside_p99_ms: dict[str, float] = field(default_factory=dict)
    order_kept: bool = False
    peak_rss_mb: float = 0.0
    restarts_beyond_kills: int = 0

    @property
    def p99_ratio(self) -> float:
        """How many times as long it took beside the hot entities."""
        return max(self.beside_p99_ms[place] / self.alone_p99_ms[place] for place in PLACES)

    @property
    def passed(self) -> bool:
        """Whether it is as it should be."""
        return self.p99_ratio <= LIMIT and self.order_kept and not self.restarts_beyond_kills


async def measure(place: Servers, case: Case, given: argparse.Namespace, number: int) -> Found:
    """Measure one case: the others alone, then beside the hot ones."""
    say(f"{case.name}: starting")
    database = await asyncio.to_thread(place.fresh_database, f"bench_hotkey_{number}")
    prefix = f"hotkey-{uuid4().hex[:8]}."
    found = Found(case.name)
    try:
        async with AsyncExitStack() as stack:
            target = await stack.enter_async_context(destination())
            home = place.home / f"case-{number}"
            running = await stack.enter_async_context(Stack(place.bootstrap, database, prefix, home, roles=ROLES))
            connecting = psycopg.AsyncConnection.connect(database, autocommit=True)
            job = Job(running, Rows(await stack.enter_async_context(await connecting)), target, case)
            await job.prepare()
            await job.warm_up(given.rate)
            found.alone_p99_ms = p99s(await job.phase(given.seconds, given.rate, 0, kill=case.kill))
            say(f"{case.name}: alone {found.alone_p99_ms}")
            found.beside_p99_ms = p99s(await job.phase(given.seconds, given.rate, case.records, kill=case.kill))
            say(f"{case.name}: beside {found.beside_p99_ms}")
            if case.drained:
                await job.drain()
            found.order_kept = job.in_order() and job.complete()
            found.peak_rss_mb = round(job.peak_rss_mb, 1)
            found.restarts_beyond_kills = len(job.ended)
    finally:
        await remove_topics(place.bootstrap, prefix)
    return found


def p99s(seconds: dict[str, list[float]]) -> dict[str, float]:
    """Return the p99 in ms by place."""
    return {place: round(percentile(found, 0.99) * 1000, 1) for place, found in seconds.items()}


def table(found: list[Found]) -> str:
    """Return what was found as a table."""
    lines = ["case                     others           alone p99 ms   beside p99 ms   ratio   in order   executor MB"]
    for one in found:
        for place in PLACES:
            alone, beside = one.alone_p99_ms[place], one.beside_p99_ms[place]
            lines.append(
                f"{one.name:<22}   {place:<14}   {alone:>12.0f}   {beside:>13.0f}   {beside / alone:>5.2f}   "
                f"{'yes' if one.order_kept else 'NO':>8}   {one.peak_rss_mb:>11.0f}   "
                f"{'ok' if one.passed else 'NOT SHOWN'}"
            )
    return "\n".join(lines)


def write(found: list[Found]) -> None:
    """Write ``build/hotkey.json``."""
    cases = [{**asdict(one), "p99_ratio": round(one.p99_ratio, 3), "passed": one.passed} for one in found]
    worst = max(round(one.p99_ratio, 3) for one in found)
    _BUILD.mkdir(exist_ok=True)
    (_BUILD / "hotkey.json").write_bytes(orjson.dumps({"limit": LIMIT, "p99_ratio": worst, "cases": cases}))


async def run(place: Servers, given: argparse.Namespace, wanted: Callable[[Case], bool]) -> list[Found]:
    """Measure the cases."""
    return [await measure(place, case, given, number) for number, case in enumerate(CASES, 1) if wanted(case)]


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
        found = asyncio.run(run(place, given, lambda case: given.case in case.name))
    write(found)
    sys.stdout.write(table(found) + "\n")
    sys.exit(0 if all(one.passed for one in found) else 1)


if __name__ == "__main__":
    main()
