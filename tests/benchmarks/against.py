"""``make bench-against AGAINST=<commit>``: what each process costs an execution, before and after, in turns (A B A B).

Each turn is the bench of its own clone, with servers of its own, on the main job alone. The machine's noise meets both;
medians are compared. Writes ``build/against.json``; about three minutes a turn.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson

from tests.benchmarks.memory import checked_out
from tests.benchmarks.progress import say

_ROOT: Final = Path(__file__).resolve().parents[2]
_ALL: Final = "all"
_RECEIVER: Final = "receiver"

Found = Mapping[str, Any]


def turn(tree: Path) -> Found:
    """Run a clone's bench once; returns its figures."""
    words = ["--only", "headrace", "--rounds", "1", "--rates", "200"]
    subprocess.run(  # noqa: S603 - a clone of our own
        [sys.executable, "-m", "tests.benchmarks.bench", *words],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    found: Found = orjson.loads((tree / "build" / "bench.json").read_bytes())
    return found


def costs(turns: Sequence[Found]) -> dict[str, float]:
    """Return the median CPU of an execution by process, in microseconds, and of all but the receiver."""
    each = [{one["name"]: float(one["us_per_execution"]) for one in found["processes"]} for found in turns]
    by_name = {name: median(one[name] for one in each) for name in each[0]}
    return by_name | {_ALL: median(sum(us for name, us in one.items() if name != _RECEIVER) for one in each)}


def table(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Return both as a table, the costliest first."""
    lines = [f"{'CPU us an execution':24}{'before':>10}{'after':>10}{'ratio':>8}"]
    for name in sorted(before, key=lambda name: -before[name]):
        ratio = f"{after[name] / before[name]:.2f}" if before[name] and name in after else "-"
        lines.append(f"{name:24}{before[name]:>10.0f}{after.get(name, 0.0):>10.0f}{ratio:>8}")
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, take turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", help="what to compare with")
    parser.add_argument("--turns", type=int, default=2, help="of each")
    given = parser.parse_args()
    before: list[Found] = []
    after: list[Found] = []
    with checked_out(given.commit) as tree:
        for number in range(given.turns):
            for name, clone, turns in (("before", tree, before), ("after", _ROOT, after)):
                say(f"turn {number + 1} of {given.turns}: {name}")
                turns.append(turn(clone))
    path = _ROOT / "build" / "against.json"
    path.write_bytes(orjson.dumps({"commit": given.commit, "before": before, "after": after}))
    drains = [f"{median(found['drain_per_s'] for found in turns):.0f}/s" for turns in (before, after)]
    sys.stdout.write(f"{table(costs(before), costs(after))}\ndrain: {' before, '.join(drains)} after\n")


if __name__ == "__main__":
    main()
