"""``make observe``: every dashboard's queries return data, and every alert fires by its cause and is resolved.

A real installation, a real Prometheus that scrapes it, the rules and dashboards that ship, but for their times. Writes
``build/observe.json``. Goes on where it was stopped: alerts that were seen are in ``build/observe.jsonl``, which is
removed once all were. The pictures of docs/observability.md are made from what the queries returned (--pictures).

python -m tests.observe.run --only slow,poison      only these causes, and what was seen before is tried again
"""

import argparse
import asyncio
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson

from app.domain.alert_rules import ALERTS, PREFIX
from tests.benchmarks.progress import say
from tests.observe.causes import TRIALS, poison
from tests.observe.ground import Ground, ground
from tests.observe.panels import Shown, shown
from tests.observe.pictures import draw
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers

_BUILD: Final = Path("build")
_SEEN: Final = _BUILD / "observe.jsonl"
_REPORT: Final = _BUILD / "observe.json"


async def observe(on: Servers, only: list[str], pictures: Path | None) -> dict[str, Any]:
    """Run what is left to run; returns the report."""
    home, prefix, began = on.home / "stack", f"o{uuid4().hex[:8]}.", time.time()
    await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
    seen = set() if only else _seen()
    say("starting every role, and Prometheus")
    try:
        async with ground(on.bootstrap, on.fresh_database("observe"), prefix, home) as place:
            for name in only or TRIALS:
                if not seen.issuperset(TRIALS[name].alerts):
                    await _try(place, name, seen)
            say("load, and every panel")
            panels = await _panels(place, began)
            names = await place.prometheus.names()
    finally:
        await remove_topics(on.bootstrap, prefix)
    if pictures is not None:
        await asyncio.to_thread(draw, panels, pictures)
    return _report(panels, seen, names, time.time() - began)


async def _try(place: Ground, name: str, seen: set[str]) -> None:
    """Cause alerts, and see them fire in Prometheus and in the administrators' channel; mend it, and see them end."""
    trial = TRIALS[name]
    wanted = {PREFIX + alert for alert in trial.alerts}
    say(f"{name}: {', '.join(trial.alerts)}")
    async with trial.cause(place):
        fired: set[str] = set()

        async def all_fired() -> bool:
            fired.update(await place.prometheus.firing())
            return wanted <= fired

        await place.until(f"{wanted} firing in Prometheus", all_fired)
        say(f"{name}: fires in Prometheus")
        await place.until(f"{wanted} told", lambda: _told(place, wanted))
        say(f"{name}: told")

    async def all_over() -> bool:
        return not wanted & await place.prometheus.firing()

    await place.until(f"{wanted} over in Prometheus", all_over, within=180)
    await place.until(f"{wanted} told as resolved", lambda: _resolved(place, wanted), within=180)
    say(f"{name}: resolved")
    seen |= set(trial.alerts)
    _BUILD.mkdir(exist_ok=True)
    with _SEEN.open("ab") as file:
        file.write(orjson.dumps(sorted(trial.alerts)) + b"\n")


def _told(place: Ground, wanted: set[str]) -> bool:
    return wanted <= place.ever_told()


def _resolved(place: Ground, wanted: set[str]) -> bool:
    last = place.told()
    return all(last.get(alert) == "RESOLVED" for alert in wanted)


async def _panels(place: Ground, began: float) -> list[Shown]:
    """Give every part something to do, then look at every panel until all show something."""
    place.receiver.behaviour.status, place.receiver.behaviour.delay_s = 400, 0.0
    await place.emit("failing", 20)
    noted = "SELECT workflow_id FROM workflow_failures WHERE workflow_id = %s"
    await place.until("a workflow that fails", lambda: place.sql(noted, place.workflows["failing"]))
    async with poison(place):
        place.receiver.behaviour.status = 200
        place.receiver.behaviour.first = [503] * 8
    for _ in range(3):
        await place.emit("good", 100)
        await place.emit("waiting", 10)
        await asyncio.sleep(2)
    found: list[Shown] = []

    async def all_show() -> bool:
        found[:] = await shown(place, str(place.workflows["failing"]), began)
        return all(one.has_data for one in found)

    try:
        await place.until("data in every panel", all_show, within=60)
    except AssertionError:
        say("some panels show nothing")
    return found


def _seen() -> set[str]:
    if not _SEEN.exists():
        return set()
    return {alert for line in _SEEN.read_bytes().splitlines() for alert in orjson.loads(line)}


def _report(panels: list[Shown], seen: set[str], names: list[str], seconds: float) -> dict[str, Any]:
    return {
        "panels": len(panels),
        "panels_with_data": sum(one.has_data for one in panels),
        "alerts": len(ALERTS),
        "alerts_fired": len({alert.name for alert in ALERTS} & seen),
        "metrics": len(names),
        "dashboards": len({one.board for one in panels}),
        "seconds": round(seconds),
        "empty": [f"{one.board}: {one.panel['title']}: {one.wrong}" for one in panels if not one.has_data],
    }


def main() -> None:
    """Read the arguments, observe, write, show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help=f"causes, with commas between: {', '.join(TRIALS)}")
    parser.add_argument("--pictures", type=Path, help="folder for the pictures of the dashboards")
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]
    with servers(harness_home("observe")) as on:
        report = asyncio.run(observe(on, only, options.pictures))
    _BUILD.mkdir(exist_ok=True)
    _REPORT.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    out = sys.stdout.write
    out(f"\n{report['metrics']} metrics scraped, {report['dashboards']} dashboards\n")
    out(f"{report['panels_with_data']} of {report['panels']} panels show data\n")
    out(f"{report['alerts_fired']} of {report['alerts']} alerts fired, were told, and were resolved\n")
    for line in report["empty"]:
        out(f"    nothing in {line}\n")
    whole = report["panels_with_data"] == report["panels"] and report["alerts_fired"] == report["alerts"]
    if whole and not only:
        _SEEN.unlink(missing_ok=True)
    sys.exit(0 if whole or only else 1)


if __name__ == "__main__":
    main()
