"""``python -m tests.benchmarks.memory``: what every process of ``headrace up`` holds, idle and under load.

Starts the embedded whole (broker, Postgres, every role, stand-ins, supervisor) on empty data, leaves it alone for
``--idle`` seconds, then sends events at a steady rate to a workflow that keeps every role busy. ``--against`` names a
commit to measure first, in the same way, so that both are of one machine and one day.

Prints a table and writes ``build/memory.json``. Linux only: it reads what the kernel knows of each process.
"""

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from app.embedded.broker import fetch_jars
from app.embedded.kafka_config import KAFKA_VERSION
from app.processes.home import default_home
from tests.benchmarks.memory_figures import Memory, forget_peaks, look
from tests.benchmarks.memory_stack import load, running
from tests.benchmarks.progress import say
from tests.support.servers import harness_home

_ROOT: Final = Path(__file__).resolve().parents[2]
_SETTLE_S: Final = 10.0

Found = dict[str, dict[str, Memory]]


async def measure(tree: Path, home: Path, *, idle_s: float, events: int, rate: float) -> Found:
    """Return each process's memory by its name, idle, under load, and once the load is over.

    Args:
        tree: The clone whose code runs.
        home: Folder of the data; emptied first.
        idle_s: Seconds before the first look.
        events: How many events the load has, and
        rate: how many of them there are a second.
    """
    _prepare(home)
    async with running(tree, home) as whole:
        say(f"runs; idle for {idle_s:g} s")
        await asyncio.sleep(idle_s)
        found = {"idle": look(whole.pids)}
        forget_peaks(whole.pids)
        say(f"load: {events} events, {rate:g} a second")
        await load(whole, events, rate)
        found["load"] = look(whole.pids)
        await asyncio.sleep(_SETTLE_S)
        found["after"] = look(whole.pids)
    return found


def _prepare(home: Path) -> None:
    libs = default_home() / f"kafka-libs-{KAFKA_VERSION}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    fetch_jars(libs)
    (home / libs.name).symlink_to(libs)


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Check a commit out beside this clone, for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="headrace-memory-") as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=_ROOT, check=True, capture_output=True)  # noqa: S603, S607 - our own clone


def table(found: Found, before: Found | None = None) -> str:
    """Return what was found as a table; a figure of ``before`` stands in front of its own, with an arrow."""
    columns = (
        ("idle RSS", "idle", "rss_mb"),
        ("idle PSS", "idle", "pss_mb"),
        ("idle USS", "idle", "uss_mb"),
        ("start's peak", "idle", "peak_mb"),
        ("load's peak", "load", "peak_mb"),
    )
    lines = [f"{'MiB':<22}" + "".join(f"{title:>15}" for title, _, _ in columns)]
    for name in [*found["idle"], "all"]:
        cells = (_cell(found[when], (before or {}).get(when), name, figure) for _, when, figure in columns)
        lines.append(f"{name:<22}" + "".join(f"{cell:>15}" for cell in cells))
    return "\n".join(lines)


def _cell(now: Mapping[str, Memory], before: Mapping[str, Memory] | None, name: str, figure: str) -> str:
    told = _told(now, name, figure)
    return told if before is None else f"{_told(before, name, figure)} > {told}"


def _told(memories: Mapping[str, Memory], name: str, figure: str) -> str:
    if name == "all":
        # What is shared would count once a process in a sum of the others.
        shares = figure in ("pss_mb", "uss_mb")
        return f"{sum(getattr(memory, figure) for memory in memories.values()):.0f}" if shares else "-"
    return f"{getattr(memories[name], figure):.0f}" if name in memories else "-"


async def run(given: argparse.Namespace) -> dict[str, Any]:
    """Measure what was asked for, print it, and return it."""
    home = harness_home("memory")
    asked = {"idle_s": given.idle, "events": given.events, "rate": given.rate}
    before: Found | None = None
    if given.against:
        say(f"before: {given.against}")
        with checked_out(given.against) as tree:
            before = await measure(tree, home, **asked)
    found = await measure(_ROOT, home, **asked)
    sys.stdout.write(table(found, before) + "\n")
    return {"against": given.against, "before": before, "now": found}


def main() -> None:
    """Read the arguments, measure, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", help="a commit to measure first")
    parser.add_argument("--idle", type=float, default=30.0, help="seconds before idle processes are looked at")
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=100.0, help="events a second")
    figures = asyncio.run(run(parser.parse_args()))
    path = _ROOT / "build" / "memory.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
