"""Writes ``headrace.rules.yml`` from the alerts: ``python -m deploy.prometheus.rules``.

Needs Prometheus 2.42 or later (``keep_firing_for``). A quoted JSON string is one of YAML too, so no writer is needed.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from app.domain.alert_rules import ALERTS, Alert, Kind, Unit

FILE: Final = Path(__file__).with_name("headrace.rules.yml")
_HEAD: Final = """\
# Written by `python -m deploy.prometheus.rules` from app/domain/alert_rules.py; change that.
groups:
  - name: headrace
    rules:
"""
_VALUE: Final = {
    Unit.COUNT: '{{ $value | printf "%.0f" }}',
    Unit.SHARE: "{{ $value | humanizePercentage }}",
    Unit.SECONDS: "{{ $value | humanizeDuration }}",
}


def expression(alert: Alert) -> str:
    """Return the alert's condition in PromQL."""
    return f"{_measure(alert)} > {alert.above:g}"


def _measure(alert: Alert) -> str:
    if alert.kind is Kind.INCREASE:
        summed = f"sum by ({alert.by})" if alert.by else "sum"
        return f"{summed} ({' or '.join(_grown(series, alert.window_s) for series in alert.queries)})"
    if alert.kind is Kind.GROWTH:
        (query,) = alert.queries
        return (
            f"({query} - ({query.replace('headrace_queue_depth', f'headrace_queue_depth offset {alert.window_s}s')}))"
        )
    return alert.queries[0] if len(alert.queries) == 1 else f"({' or '.join(alert.queries)})"


def _grown(series: str, window: int) -> str:
    """Return by how much counters went up: one that was not there before counts from nought.

    ``increase`` alone knows nothing of a series before its first sample, and the first dead letter makes the series.
    """
    return f"(({series} unless max_over_time({series}[{window}s] offset {window}s)) or increase({series}[{window}s]))"


def rules(alerts: Iterable[Alert], seconds: Callable[[int], int] = int) -> str:
    """Return the file.

    Args:
        alerts: What is to be in it.
        seconds: Changes the times that alerts hold and are kept, for trials that cannot wait.
    """
    return _HEAD + "".join(_rule(alert, seconds) for alert in alerts)


def _rule(alert: Alert, seconds: Callable[[int], int]) -> str:
    label = f"{{{{ $labels.{alert.by} }}}}" if alert.by else ""
    summary = alert.summary.replace("{subject}", label).replace("{value}", _VALUE[alert.unit])
    lines = [
        f"      - alert: {alert.full_name}",
        f"        expr: {json.dumps(expression(alert))}",
        *([f"        for: {seconds(alert.hold_s)}s"] if alert.hold_s else []),
        f"        keep_firing_for: {seconds(alert.keep_s)}s",
        "        labels:",
        f"          severity: {alert.severity}",
        "        annotations:",
        f"          summary: {json.dumps(summary)}",
        f"          description: {json.dumps(alert.description)}",
        f"          runbook: {alert.runbook}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(rules(ALERTS))
