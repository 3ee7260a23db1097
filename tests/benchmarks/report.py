"""What the bench found, as tables and as ``build/bench.json``."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson

from tests.benchmarks.turn import BASE_RATE, Outcome

_US: Final = 1_000_000
_OURS: Final = "headrace"
_CEILING: Final = "ceiling"


def figures(outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    """Return everything that was measured, medians first; what was not measured is None."""
    ours, ceiling = outcomes.get(_OURS, ()), outcomes.get(_CEILING, ())
    drain, ceiling_drain = _drain(ours), _drain(ceiling)
    highest, ceiling_highest = _highest(ours), _highest(ceiling)
    return {
        "drain_per_s": drain,
        "ceiling_per_s": ceiling_drain,
        "ratio": _ratio(drain, ceiling_drain),
        "open_loop_max_per_s": highest,
        "ceiling_open_loop_max_per_s": ceiling_highest,
        "open_loop_ratio": _ratio(highest, ceiling_highest),
        "p50_ms_at_200": _at_base(ours, "p50_ms"),
        "p99_ms_at_200": _at_base(ours, "p99_ms"),
        "ceiling_p50_ms_at_200": _at_base(ceiling, "p50_ms"),
        "ceiling_p99_ms_at_200": _at_base(ceiling, "p99_ms"),
        "processes": _processes(ours),
        "ceiling_processes": _processes(ceiling),
        "drains": [_told(name, outcome) for name in outcomes for outcome in outcomes[name]],
    }


def tables(found: Mapping[str, Any]) -> str:
    """Return the figures as text."""
    rows = [
        ("drain, executions/s", "drain_per_s", "ceiling_per_s", "ratio"),
        ("open loop, highest/s", "open_loop_max_per_s", "ceiling_open_loop_max_per_s", "open_loop_ratio"),
        ("p50 at 200/s, ms", "p50_ms_at_200", "ceiling_p50_ms_at_200", ""),
        ("p99 at 200/s, ms", "p99_ms_at_200", "ceiling_p99_ms_at_200", ""),
    ]
    text = [f"{'':24}{'headrace':>12}{'ceiling':>12}{'ratio':>8}"]
    text += [f"{name:24}{_cell(found[a]):>12}{_cell(found[b]):>12}{_cell(found.get(c)):>8}" for name, a, b, c in rows]
    for title, key in (("headrace", "processes"), ("ceiling", "ceiling_processes")):
        text += ["", f"{title + ', during drain':28}{'CPU s':>8}{'us/execution':>14}{'peak MiB':>10}"]
        text += [
            f"{one['name']:28}{one['cpu_s']:>8.2f}{one['us_per_execution']:>14.0f}{one['peak_rss_mb']:>10.0f}"
            for one in found[key]
        ]
    return "\n".join([*text, "", *_climbs(found)])


def write_json(path: Path, found: Mapping[str, Any]) -> None:
    """Write the figures; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")


def _climbs(found: Mapping[str, Any]) -> list[str]:
    text = [f"{'open loop':12}{'rate/s':>8}{'p50 ms':>10}{'p99 ms':>10}{'generator late ms':>20}"]
    for drain in found["drains"]:
        text += [
            f"{drain['contender']:12}{step['rate']:>8.0f}{_cell(step['p50_ms']):>10}{_cell(step['p99_ms']):>10}"
            f"{step['late_ms']:>20.0f}"
            for step in drain["open_loop"]
        ]
    return text


def _told(name: str, outcome: Outcome) -> dict[str, Any]:
    steps = [
        {"rate": step.rate, "p50_ms": _finite(step.p50_ms), "p99_ms": _finite(step.p99_ms), "late_ms": step.late_ms}
        for step in outcome.steps
    ]
    return {"contender": name, "events": outcome.drain_events, "per_s": outcome.drain_per_s, "open_loop": steps}


def _processes(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Medians over the rounds, the costliest first."""
    names = outcomes[0].costs if outcomes else ()
    found = []
    for name in names:
        costs = [outcome.costs[name] for outcome in outcomes]
        cpu = median(cost.cpu_s for cost in costs)
        each = median(cost.cpu_s / outcome.drain_events * _US for cost, outcome in zip(costs, outcomes, strict=True))
        peak = max(cost.peak_rss_mb for cost in costs)
        found.append({"name": name, "cpu_s": cpu, "us_per_execution": each, "peak_rss_mb": peak})
    return sorted(found, key=lambda one: -float(one["cpu_s"]))


def _drain(outcomes: Sequence[Outcome]) -> float | None:
    return median(outcome.drain_per_s for outcome in outcomes) if outcomes else None


def _highest(outcomes: Sequence[Outcome]) -> float | None:
    climbed = [outcome.open_loop_max_per_s for outcome in outcomes if outcome.steps]
    return median(climbed) if climbed else None


def _at_base(outcomes: Sequence[Outcome], name: str) -> float | None:
    values = [getattr(step, name) for outcome in outcomes for step in outcome.steps if step.rate == BASE_RATE]
    return _finite(median(values)) if values else None


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"
