"""``python -m tests.simulation.run``: seeds one after the other; a seed that goes wrong is told, and how to see it."""

import argparse
import logging
import sys
import time
from pathlib import Path
from typing import Final

import orjson

from tests.benchmarks.progress import say
from tests.simulation.judge import wrong
from tests.simulation.plants import PLANTS
from tests.simulation.roles import SOUND
from tests.simulation.world import simulate

_REPORT: Final = Path("build/simulation.json")


def main() -> None:
    """Read the arguments, run, and end with 1 where a seed went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one alone, with all that happened in it")
    parser.add_argument("--plant", choices=sorted(PLANTS), help="with a bug that is planted")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    parts = PLANTS[given.plant] if given.plant else SOUND
    if given.seed is not None:
        ran = simulate(given.seed, parts)
        found = wrong(ran)
        sys.stdout.write("\n".join([*ran.told, *found, f"{len(found)} things are wrong"]) + "\n")
        sys.exit(bool(found))
    failed: dict[int, list[str]] = {}
    began = time.monotonic()
    for seed in range(given.first, given.first + given.seeds):
        found = wrong(simulate(seed, parts))
        if found:
            failed[seed] = found
            sys.stdout.write(f"seed {seed}: {'; '.join(found)}\n")
        say(f"seed {seed}: {len(failed)} went wrong", passing=True)
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_bytes(orjson.dumps({"seeds": given.seeds, "failed": {str(seed): failed[seed] for seed in failed}}))
    took = time.monotonic() - began
    sys.stdout.write(f"{given.seeds} seeds in {took:.0f} s, {len(failed)} went wrong; see one: --seed N\n")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
