"""``make recovery``: whether it works again as soon as is promised; prints a table, writes ``build/recovery.json``.

Three parts: a cold matcher with 10,000 workflows, a group whose worker joins, leaves, or dies, and an outage of
everything. Goes on with the parts that an earlier run of the same commit has not measured; ``--again`` begins anew.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from tests.benchmarks.bench import receiver
from tests.benchmarks.growth import commit_here
from tests.benchmarks.progress import say
from tests.benchmarks.scaling import ROLES, Periods, scale
from tests.recovery.cold import cold
from tests.recovery.outage import Outage
from tests.support.servers import Servers, harness_home, servers

_PATH: Final = Path(__file__).resolve().parents[2] / "build" / "recovery.json"
COLD_LIMIT_S: Final = 5.0
STALL_LIMIT_S: Final = 10.0
SHARE_LIMIT: Final = 0.8
_PERIODS: Final[Periods] = (
    ("quiet", 10.0),
    ("joins", 15.0),
    ("leaves", 15.0),
    ("joins again", 15.0),
    ("killed, comes back", 20.0),
    ("killed for good", 75.0),
)
# Its partitions rest for the session timeout, as docs/deployment.md says: told, and held to no limit.
_UNHELD: Final = ("quiet", "killed for good")
Found = dict[str, Any]


def judged(found: Mapping[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Return what was asked, what was found and the limit in words, and whether it holds."""
    lines = []
    if "cold" in found:
        worst = found["cold"]["worst_s"]
        what = f"cold matcher, {found['cold']['workflows']} workflows: all partitions work after"
        lines.append((what, f"{worst:.1f} s", f"< {COLD_LIMIT_S:g} s", worst < COLD_LIMIT_S))
    for role, periods in found.get("rebalance", {}).items():
        for name, one in periods.items():
            held = name not in _UNHELD
            good = not held or one["slowest_s"] < STALL_LIMIT_S
            limit = f"< {STALL_LIMIT_S:g} s" if held else "-"
            lines.append((f"{role}, {name}: slowest execution", f"{one['slowest_s']:.1f} s", limit, good))
    if "outage" in found:
        one = found["outage"]
        rates = f"{one['after_outage']['per_s']:.0f}/s, clean {one['clean_before']['per_s']:.0f} and"
        what = f"after {one['seconds'] / 60:g} min of nothing: {rates} {one['clean_after']['per_s']:.0f}/s"
        lines.append((what, f"{one['share']:.2f}", f">= {SHARE_LIMIT:g}", one["share"] >= SHARE_LIMIT))
        lines.append(("lost in it", str(one["lost"]), "0", one["lost"] == 0))
    return lines


def table(found: Mapping[str, Any]) -> str:
    """Return what was found as a table."""
    return "\n".join(
        f"{what:<74}{value:>9}{limit:>9}  {'ok' if good else 'MISSED'}" for what, value, limit, good in judged(found)
    )


async def measure(on: Servers, given: argparse.Namespace, found: Found) -> None:
    """Measure what ``found`` does not have yet, and write it after each part."""
    async with receiver() as (url, _):
        if "cold" not in found and "cold" in given.parts:
            found["cold"] = await cold(on, url, workflows=given.workflows, times=given.times)
            _write(found)
        for role in ROLES if "rebalance" in given.parts else ():
            by_role = found.setdefault("rebalance", {})
            if role not in by_role:
                by_role[role] = await scale(on, role, _PERIODS)
                _write(found)
        if "outage" not in found and "outage" in given.parts:
            found["outage"] = await Outage(on, url, given.backlog).run(given.outage)
            _write(found)


def _write(found: Found) -> None:
    _PATH.parent.mkdir(exist_ok=True)
    _PATH.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


def _earlier() -> Found:
    found: Found = {"commit": commit_here()}
    if _PATH.exists():
        earlier: Found = orjson.loads(_PATH.read_bytes())
        return earlier if earlier["commit"] == found["commit"] else found
    return found


def main() -> None:
    """Read the arguments, measure what is missing, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="forget what an earlier run has measured")
    parser.add_argument("--parts", nargs="+", default=["cold", "rebalance", "outage"])
    parser.add_argument("--workflows", type=int, default=10_000, help="active ones that a cold matcher learns")
    parser.add_argument("--times", type=int, default=4, help="cold starts")
    parser.add_argument("--outage", type=float, default=600.0, help="seconds in which nothing runs")
    parser.add_argument("--backlog", type=int, default=60_000, help="events that wait after it: 100/s for ten minutes")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    found = {"commit": commit_here()} if given.again else _earlier()
    with servers(harness_home("recovery"), long_lived=True) as on:
        say("Kafka and Postgres run")
        on.stamp_commits()
        asyncio.run(measure(on, given, found))
    sys.stdout.write(table(found) + "\n")
    sys.exit(0 if all(good for *_, good in judged(found)) else 1)


if __name__ == "__main__":
    main()
