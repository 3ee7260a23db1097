"""What the bench found, as tables and as ``build/bench.json``."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson

from tests.benchmarks.turn import BASE_RATE, QUIET_RATE, Outcome, Step

_US: Final = 1_000_000
_OURS: Final = "headrace"
_CEILING: Final = "ceiling"
# Everybody's: what a contender makes them do counts where the table says "all". The receiver is the world outside.
_SHARED: Final = frozenset({"kafka", "postgres"})
_OUTSIDE: Final = frozenset({"receiver"})
_PER_S: Final = 15.0


_CALM_ROWS: Final = (
    ("p50 at 50/s, ms", "p50_ms_at_50"),
    ("p99 at 50/s, ms", "p99_ms_at_50"),
    ("p50 at 200/s, ms", "p50_ms_at_200"),
    ("p99 at 200/s, ms", "p99_ms_at_200"),
    ("CPU s in 15 s at 50/s, own", "cpu_s_per_15s_at_50"),
    ("CPU s in 15 s at 50/s, all", "cpu_s_per_15s_at_50_all"),
    ("idle, cores, own", "idle_cpu_share"),
    ("idle, cores, all", "idle_cpu_share_all"),
)


def figures(outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    """Return everything that was measured, medians first; what was not measured is None.

    ``cpu_s_per_15s_at_50`` and ``idle_cpu_share`` are of the contender's own processes; with ``_all`` Kafka's and
    Postgres's are added.
    """
    ours, ceiling = outcomes.get(_OURS, ()), outcomes.get(_CEILING, ())
    cost, ceiling_cost = _cost(ours), _cost(ceiling)
    drain, ceiling_drain = _drain(ours), _drain(ceiling)
    highest, ceiling_highest = _highest(ours), _highest(ceiling)
    return {
        "drain_per_s": drain,
        "ceiling_per_s": ceiling_drain,
        "ratio": _ratio(drain, ceiling_drain),
        "open_loop_max_per_s": highest,
        "ceiling_open_loop_max_per_s": ceiling_highest,
        "open_loop_ratio": _ratio(highest, ceiling_highest),
        "cpu_us_per_execution": cost,
        "ceiling_cpu_us_per_execution": ceiling_cost,
        "cpu_ratio": _ratio(cost, ceiling_cost),
        **{f"{prefix}{name}": value for prefix, of in (("", ours), ("ceiling_", ceiling)) for name, value in _calm(of)},
        "processes": _processes(ours),
        "ceiling_processes": _processes(ceiling),
        "drains": [_told(name, outcome) for name in outcomes for outcome in outcomes[name]],
    }


def tables(found: Mapping[str, Any]) -> str:
    """Return the figures as text."""
    rows = [
        ("drain, executions/s", "drain_per_s", "ceiling_per_s", "ratio"),
        ("open loop, highest/s", "open_loop_max_per_s", "ceiling_open_loop_max_per_s", "open_loop_ratio"),
        ("CPU us an execution, all", "cpu_us_per_execution", "ceiling_cpu_us_per_execution", "cpu_ratio"),
        *((title, name, f"ceiling_{name}", "") for title, name in _CALM_ROWS),
    ]
    text = [f"{'':28}{'headrace':>12}{'ceiling':>12}{'ratio':>8}"]
    for title, ours, ceiling, ratio in rows:
        of = found[ratio] if ratio else _ratio(found[ours], found[ceiling])
        text.append(f"{title:28}{_cell(found[ours]):>12}{_cell(found[ceiling]):>12}{_cell(of):>8}")
    for title, key in (("headrace", "processes"), ("ceiling", "ceiling_processes")):
        text += ["", f"{title + ', during drain':28}{'CPU s':>8}{'us/execution':>14}{'peak MiB':>10}"]
        text += [
            f"{one['name']:28}{one['cpu_s']:>8.2f}{one['us_per_execution']:>14.0f}{one['peak_rss_mb']:>10.0f}"
            for one in found[key]
        ]
    return "\n".join([*text, "", *_climbs(found)])


def _calm(outcomes: Sequence[Outcome]) -> list[tuple[str, float | None]]:
    """Return what is measured while there is room for everything, by name."""
    return [
        ("p50_ms_at_50", _at(outcomes, QUIET_RATE, _p50)),
        ("p99_ms_at_50", _at(outcomes, QUIET_RATE, _p99)),
        ("p50_ms_at_200", _at(outcomes, BASE_RATE, _p50)),
        ("p99_ms_at_200", _at(outcomes, BASE_RATE, _p99)),
        ("cpu_s_per_15s_at_50", _at(outcomes, QUIET_RATE, partial(_cpu, but=_SHARED | _OUTSIDE))),
        ("cpu_s_per_15s_at_50_all", _at(outcomes, QUIET_RATE, partial(_cpu, but=_OUTSIDE))),
        ("idle_cpu_share", _idle(outcomes, _SHARED | _OUTSIDE)),
        ("idle_cpu_share_all", _idle(outcomes, _OUTSIDE)),
    ]


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
        | {"cpu_s": dict(step.cpu_s)}
        for step in outcome.steps
    ]
    drain = {"contender": name, "events": outcome.drain_events, "per_s": outcome.drain_per_s}
    return {**drain, "idle": outcome.idle, "open_loop": steps}


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


def cost_of(outcome: Outcome) -> float:
    """Return the CPU of a drained execution over all processes, in microseconds."""
    return sum(cost.cpu_s for name, cost in outcome.costs.items() if name not in _OUTSIDE) / outcome.drain_events * _US


def _cost(outcomes: Sequence[Outcome]) -> float | None:
    drained = [cost_of(outcome) for outcome in outcomes if outcome.drain_events]
    return median(drained) if drained else None


def _at(outcomes: Sequence[Outcome], rate: float, of: Callable[[Step], float]) -> float | None:
    """Return the median of a figure of the steps at one rate."""
    values = [of(step) for outcome in outcomes for step in outcome.steps if step.rate == rate]
    return _finite(median(values)) if values else None


def _p50(step: Step) -> float:
    return step.p50_ms


def _p99(step: Step) -> float:
    return step.p99_ms


def _cpu(step: Step, *, but: frozenset[str]) -> float:
    return sum(cpu for name, cpu in step.cpu_s.items() if name not in but) * _PER_S / step.seconds


def _idle(outcomes: Sequence[Outcome], but: frozenset[str]) -> float | None:
    shares = [sum(share for name, share in outcome.idle.items() if name not in but) for outcome in outcomes]
    return median(shares) if shares and any(outcome.idle for outcome in outcomes) else None


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    if value < 1:
        return f"{value:.3f}"
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"
