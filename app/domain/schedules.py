"""Temporal triggers: when a daily, weekly or monthly run is due, at a local time in an IANA zone. Pure.

Where the clocks go forward over the time, it is due at the next minute that exists; where they go back over it, at its
first pass only. A day of the month that a month does not have is its last day.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, takewhile
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from app.domain.zones import first_instant

Kind = Literal["daily", "weekly", "monthly"]
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FAR: Final = timedelta(days=2)  # further than any zone is from UTC, and than any gap is long


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a workflow runs.

    Attributes:
        kind: How often it is due.
        at: Local time, to the minute.
        zone: The IANA zone of its local time.
        weekdays: The days of a weekly schedule: 0 is Monday.
        day: The day of a monthly schedule: 1 to 31.
    """

    kind: Kind
    at: time
    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset()
    day: int = 1

    def runs_on(self, day: date) -> bool:
        """Tell whether it runs on a local date."""
        if self.kind == "weekly":
            return day.weekday() in self.weekdays
        if self.kind == "monthly":
            return day.day == min(self.day, monthrange(day.year, day.month)[1])
        return True


def read_schedule(event_type: str, config: Mapping[str, Any]) -> Schedule:
    """Return the schedule of a temporal trigger, whose config was checked when it was saved."""
    kind: Kind = "weekly" if event_type == "temporal.weekly" else "daily"
    if event_type == "temporal.monthly":
        kind = "monthly"
    return Schedule(
        kind,
        time.fromisoformat(config["at"]),
        ZoneInfo(config.get("timezone") or "UTC"),
        frozenset(WEEKDAYS.index(day) for day in config.get("days") or ()),
        config.get("day") or 1,
    )


def next_due(schedule: Schedule, after: datetime) -> datetime:
    """Return the first due time after an instant, in UTC."""
    return next(due for due in _dues(schedule, after - _FAR, 1) if due > after)


def latest_due(schedule: Schedule, until: datetime) -> datetime:
    """Return the last due time up to an instant, in UTC."""
    return next(due for due in _dues(schedule, until + _FAR, -1) if due <= until)


def dues_between(schedule: Schedule, first: datetime, end: datetime) -> int:
    """Return how many due times there are from an instant on and before another."""
    dues = _dues(schedule, first - _FAR, 1)
    return sum(due >= first for due in takewhile(lambda due: due < end, dues))


def _dues(schedule: Schedule, start: datetime, step: int) -> Iterator[datetime]:
    """Yield due times day by day, forwards or backwards."""
    first = start.astimezone(UTC).date()
    for number in count():
        day = first + timedelta(days=step * number)
        if schedule.runs_on(day):
            yield first_instant(datetime.combine(day, schedule.at), schedule.zone)
