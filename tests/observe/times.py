"""The alerts that ship, with their times made short: what they hold and are kept, and the ages that are thresholds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.domain.alert_rules import ALERTS, Alert, Kind
from app.services.operations.alerts import AlertTimes

HELD_S: Final = 2
KEPT_S: Final = 3
WINDOW_S: Final = 30
TIMES: Final = AlertTimes(every_s=1.0, gap_s=1.0)
# Thresholds that are ages of what stands still: nobody wants to wait for a quarter of an hour. The others stay.
_AGES: Final = {"PartitionStuck": 8, "WorkflowTableStale": 25, "OutboxOld": 6}


def short(alert: Alert) -> Alert:
    """Return an alert that is the same but for its times."""
    return replace(
        alert,
        hold_s=min(alert.hold_s, HELD_S),
        keep_s=KEPT_S,
        window_s=alert.window_s and WINDOW_S,
        above=_AGES.get(alert.name, alert.above),
    )


SHORT: Final[Sequence[Alert]] = tuple(map(short, ALERTS))
assert all(one.window_s for one in SHORT if one.kind is not Kind.LEVEL)
