"""``python -m tests.benchmarks.bench``: the main job's speed, beside the same job written by hand, in the same run.

The job: event -> 2 conditions -> webhook POST, answered at once -> tag -> logged row. Headrace and the ceiling take
turns on one broker, one Postgres and one receiver, all on this machine; whoever's turn it is not does not run.
Prints tables and writes ``build/bench.json``.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.benchmarks.compiling import compiling_s
from tests.benchmarks.contender import CeilingContender, Contender
from tests.benchmarks.product import ProductContender
from tests.benchmarks.progress import say
from tests.benchmarks.report import figures, tables, write_json
from tests.benchmarks.turn import Outcome, Plan, Turn
from tests.support.servers import Servers, harness_home, servers

_BUILD: Final = Path(__file__).resolve().parents[2] / "build"
# Each step a quarter more than the last, so that a fast machine is not out of rungs before it is out of breath.
_LADDER: Final = (50, 200, 400, 600, 800, 1000, 1250, 1600, 2000, 2500, 3200, 4000, 5000, 6300, 8000, 10_000)
_FULL: Final = Plan(drain=20_000, rates=_LADDER)
_WARM_UP: Final = Plan(drain=30_000, rates=(200,), step_s=20, idle_s=0)
# A broker in service has long been compiled; one that is still at it takes CPU from whoever's turn it is.
_WARM_BELOW: Final = 0.04
_WARM_UPS: Final = 8
_QUICK: Final = Plan(drain=2_000, rates=(50, 200, 600), step_s=6, idle_s=6, settle_s=1, warm_up=500)


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[str, int]]:
    """Run the webhook receiver; yields its URL and pid."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.receiver", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}/hook", process.pid
    finally:
        process.terminate()
        await process.wait()


async def measure(place: Servers, plan: Plan, given: argparse.Namespace) -> dict[str, list[Outcome]]:
    """Take turns; returns each contender's outcomes by name."""
    outcomes: dict[str, list[Outcome]] = {}
    async with receiver() as (url, receiver_pid):
        contenders: Sequence[Contender] = (
            ProductContender(place, url),
            CeilingContender(place, url),
        )
        shared = {"receiver": receiver_pid}
        for name, service in (("kafka", place.kafka), ("postgres", place.postgres)):
            if service.pid is not None:
                shared[name] = service.pid
        if not given.quick:
            await _warm_up(contenders[0], place.bootstrap, shared)
        for turn in range(given.rounds):
            for contender in contenders:
                if given.only in {None, contender.name}:
                    say(f"round {turn + 1} of {given.rounds}: {contender.name}")
                    outcome = await Turn(contender, place.bootstrap, plan, shared).run()
                    outcomes.setdefault(contender.name, []).append(outcome)
    return outcomes


async def _warm_up(contender: Contender, bootstrap: str, shared: dict[str, int]) -> None:
    """Run the job until the broker's JVM has compiled what it takes; once where its process is not seen."""
    say("warming the broker up until its JVM has compiled what the job takes")
    broker = shared.get("kafka")
    for _ in range(_WARM_UPS if broker else 1):
        start, before = time.monotonic(), compiling_s(broker or 0)
        await Turn(contender, bootstrap, _WARM_UP, shared).run()
        share = (compiling_s(broker or 0) - before) / (time.monotonic() - start)
        say(f"the broker's compiler took {share:.1%} of a core")
        if share < _WARM_BELOW:
            return


def main() -> None:
    """Read the arguments, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 events, one round: for development")
    parser.add_argument("--rounds", type=int, help="turns of each; medians are reported; 3, or 1 with --quick")
    parser.add_argument("--only", choices=("headrace", "ceiling"), help="leave the other one out")
    parser.add_argument("--rates", help="open-loop rates to climb, such as 200,400,800; empty for none")
    given = parser.parse_args()
    given.rounds = given.rounds or (1 if given.quick else 3)
    plan = _QUICK if given.quick else _FULL
    if given.rates is not None:
        plan = replace(plan, rates=[float(rate) for rate in given.rates.split(",") if rate])
    say("starting Kafka and Postgres")
    with servers(harness_home("bench"), long_lived=not given.quick) as place:
        place.stamp_commits()
        outcomes = asyncio.run(measure(place, plan, given))
    found = figures(outcomes)
    write_json(_BUILD / "bench.json", found)
    sys.stdout.write(tables(found) + "\n")


if __name__ == "__main__":
    main()
