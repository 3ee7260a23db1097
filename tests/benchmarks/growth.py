"""``make growth``: how speed and cost of an execution change as one thing grows; ``build/growth.json``.

Each point is a drain of the main job with one thing changed, on an installation of its own. The unchanged job is
measured again at the head of each curve, and figures are ratios to that one: the machine's noise is less between
neighbours. Goes on where it was stopped, as long as the commit is the same; ``--again`` begins anew.
"""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from tests.benchmarks.bench import receiver
from tests.benchmarks.load import EVENT_BYTES
from tests.benchmarks.product import Job, ProductContender
from tests.benchmarks.progress import say
from tests.benchmarks.report import cost_of
from tests.benchmarks.turn import Plan, Turn
from tests.support.servers import Servers, harness_home, servers

_ROOT: Final = Path(__file__).resolve().parents[2]
_PATH: Final = _ROOT / "build" / "growth.json"
_DRAIN: Final = 5000
_WARM_UP: Final = 1000
# Where every workflow has a row of every event: so many rows, some two minutes.
_ROWS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a curve: ``value`` of what grows, and how many events are measured there, after how many others."""

    value: int
    job: Job = field(default_factory=Job)
    event_bytes: int = EVENT_BYTES
    drain: int = _DRAIN
    warm_up: int = _WARM_UP


CURVES: Final[Mapping[str, Sequence[Point]]] = {
    "workflows on other triggers": [Point(n, Job(others=n)) for n in (10, 100, 1000, 10_000)],
    "workflows on the same trigger": [
        Point(n, Job(others=n, same_trigger=True), drain=drain, warm_up=min(_WARM_UP, drain // 6))
        for n, drain in ((n, min(_DRAIN, _ROWS // n)) for n in (10, 100, 1000, 10_000))
    ],
    "actions": [Point(n, Job(actions=n)) for n in (1, 2, 5, 10)],
    "bytes of an event": [Point(500, event_bytes=500), Point(65_536, event_bytes=65_536, drain=1000)],
    "workers of each role": [Point(n, Job(workers=n)) for n in (1, 2, 4)],
}


async def measure(place: Servers, url: str, shared: Mapping[str, int], point: Point) -> dict[str, Any]:
    """Drain once; returns the rate, what an execution costs by process, and what a matcher held at most."""
    plan = Plan(drain=point.drain, rates=(), idle_s=0, warm_up=point.warm_up, event_bytes=point.event_bytes)
    outcome = await Turn(ProductContender(place, url, job=point.job), place.bootstrap, plan, dict(shared)).run()
    each = {name: round(cost.cpu_s / outcome.drain_events * 1e6, 1) for name, cost in outcome.costs.items()}
    peak = max(cost.peak_rss_mb for name, cost in outcome.costs.items() if name.startswith("matcher"))
    rate = {"per_s": round(outcome.drain_per_s, 1), "us_per_execution": cost_of(outcome)}
    return {**rate, "by_process": each, "matcher_peak_mb": round(peak)}


async def run(place: Servers, found: dict[str, Any], wanted: Container[str]) -> None:
    """Measure what ``found`` does not have yet of the wanted curves, and write it after each point."""
    shared = {
        name: service.pid
        for name, service in (("kafka", place.kafka), ("postgres", place.postgres))
        if service.pid is not None
    }
    async with receiver() as (url, receiver_pid):
        shared["receiver"] = receiver_pid
        for curve, points in ((name, points) for name, points in CURVES.items() if name in wanted):
            for name, point in [("unchanged", Point(0)), *((str(point.value), point) for point in points)]:
                if name in found["curves"].setdefault(curve, {}):
                    continue
                say(f"{curve}: {name}")
                measured = await measure(place, url, shared, point)
                found["curves"][curve][name] = {**measured, "job": asdict(point.job)}
                _PATH.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


def table(curves: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the curves as a table; ratios are to the unchanged job of the same curve."""
    lines = [f"{'':32}{'value':>10}{'per s':>8}{'us each':>9}{'speed':>7}{'CPU':>9}{'matcher MiB':>13}  costliest"]
    for curve, points in curves.items():
        base = points["unchanged"]
        for value, one in points.items():
            top = sorted(one["by_process"].items(), key=lambda named: -named[1])[:2]
            costliest = ", ".join(f"{name} {us:.0f}" for name, us in top)
            speed, cpu = one["per_s"] / base["per_s"], one["us_per_execution"] / base["us_per_execution"]
            figures = f"{value:>10}{one['per_s']:>8.0f}{one['us_per_execution']:>9.0f}{speed:>7.2f}{cpu:>9.2f}"
            figures += f"{one['matcher_peak_mb']:>13}"
            lines.append(f"{curve:32}{figures}  {costliest}")
    return "\n".join(lines)


def commit_here() -> str:
    """Return the commit of this clone, which a run that goes on belongs to."""
    said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=_ROOT, check=True, capture_output=True, text=True)  # noqa: S607
    return said.stdout.strip()


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="forget what an earlier run has measured")
    parser.add_argument("--only", choices=sorted(CURVES), help="one curve")
    given = parser.parse_args()
    _PATH.parent.mkdir(exist_ok=True)
    found: dict[str, Any] = {"commit": commit_here(), "curves": {}}
    if _PATH.exists() and not given.again:
        earlier = orjson.loads(_PATH.read_bytes())
        found = earlier if earlier["commit"] == found["commit"] else found
    with servers(harness_home("growth"), long_lived=True) as place:
        place.stamp_commits()
        asyncio.run(run(place, found, {given.only} if given.only else set(CURVES)))
    sys.stdout.write(table(found["curves"]) + "\n")


if __name__ == "__main__":
    main()
