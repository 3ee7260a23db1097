"""When temporal triggers are due, against dateutil's recurrences on minutes expanded in UTC."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.schedules import WEEKDAYS, Schedule, latest_due, next_due, read_schedule
from tests.support.zones import ZONES_IN_SHORT

ZONES = st.sampled_from(ZONES_IN_SHORT).map(ZoneInfo)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
# Half of them in the small hours, where clocks change.
SMALL_HOURS = st.builds(time, st.integers(0, 3), st.sampled_from([0, 15, 30, 45, 59]))
SCHEDULES = st.one_of(
    st.builds(Schedule, st.just("daily"), TIMES | SMALL_HOURS, ZONES),
    st.builds(Schedule, st.just("weekly"), TIMES | SMALL_HOURS, ZONES, st.frozensets(st.integers(0, 6), min_size=1)),
    st.builds(Schedule, st.just("monthly"), TIMES | SMALL_HOURS, ZONES, day=st.integers(1, 31)),
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


# The oracle looks this many days back and ahead: at least one due time is in each half.
NEAR = {"daily": 3, "weekly": 9, "monthly": 65}


def first_instant(zone: ZoneInfo, local: datetime) -> datetime:
    """Return when a local minute first is, by walking UTC minutes; for one that never is, the first minute after it."""
    later = []
    for number in range(-15 * 60, 13 * 60):  # whatever the zone: its offset is between -12 and +14 hours
        instant = local.replace(tzinfo=UTC) + timedelta(minutes=number)
        there = instant.astimezone(zone).replace(tzinfo=None)
        if there == local:
            return instant
        if there > local:
            later.append(instant)
    return min(later)


def expected(schedule: Schedule, around: datetime) -> Iterator[datetime]:
    """Yield due times before and after a moment, as the oracle has them."""
    near = timedelta(days=NEAR[schedule.kind])
    start = datetime.combine((around - near).date(), schedule.at)
    rule = {"daily": DAILY, "weekly": WEEKLY, "monthly": MONTHLY}[schedule.kind]
    more: dict[str, object] = {}
    if schedule.kind == "weekly":
        more["byweekday"] = sorted(schedule.weekdays)
    if schedule.kind == "monthly":  # the last of the days up to it that the month has
        more |= {"bymonthday": list(range(min(schedule.day, 28), schedule.day + 1)), "bysetpos": -1}
        start = start.replace(day=1)
    for local in rrule(rule, dtstart=start, until=around.replace(tzinfo=None) + near, **more):  # type: ignore[arg-type]
        yield first_instant(schedule.zone, local)


@settings(max_examples=150, deadline=None)
@given(SCHEDULES, MOMENTS)
def test_the_next_run_is_the_oracles(schedule: Schedule, moment: datetime) -> None:
    """The first due time after any moment, and the last one up to it, in 30 zones; `make zones` walks them all."""
    dues = sorted(set(expected(schedule, moment)))
    assert next_due(schedule, moment) == min(due for due in dues if due > moment)
    assert latest_due(schedule, moment) == max(due for due in dues if due <= moment)


@pytest.mark.parametrize(
    ("at", "after", "due"),
    [
        ("02:30", "2026-03-29T00:00Z", "2026-03-29T01:00Z"),  # clocks go from 02:00 to 03:00: at 03:00
        ("03:00", "2026-03-29T00:00Z", "2026-03-29T01:00Z"),
        ("01:59", "2026-03-29T00:00Z", "2026-03-29T00:59Z"),
        ("02:30", "2026-10-25T00:00Z", "2026-10-25T00:30Z"),  # 02:30 comes twice: the first
        ("02:30", "2026-10-25T00:30Z", "2026-10-26T01:30Z"),  # and not the second
    ],
)
def test_changes_of_the_clock(at: str, after: str, due: str) -> None:
    """A gap moves a run to the next minute that exists; a repeated hour has one run."""
    schedule = Schedule("daily", time.fromisoformat(at), ZoneInfo("Europe/Berlin"))
    assert next_due(schedule, datetime.fromisoformat(after)) == datetime.fromisoformat(due)


@pytest.mark.parametrize(("month", "day"), [(1, 31), (2, 28), (4, 30), (12, 31)])
def test_a_short_month_has_its_last_day(month: int, day: int) -> None:
    """The 31st of a month without one is its last day."""
    schedule = Schedule("monthly", time(9), ZoneInfo("UTC"), day=31)
    assert next_due(schedule, datetime(2026, month, 1, tzinfo=UTC)) == datetime(2026, month, day, 9, tzinfo=UTC)


def test_a_config_is_read() -> None:
    """As it is saved."""
    config = {"at": "09:30", "timezone": "America/Sao_Paulo", "days": ["mon", "sun"]}
    schedule = read_schedule("temporal.weekly", config)
    assert schedule == Schedule("weekly", time(9, 30), ZoneInfo("America/Sao_Paulo"), frozenset({0, 6}))
    assert read_schedule("temporal.monthly", {"at": "00:00", "day": 31}).day == 31
    assert read_schedule("temporal.daily", {"at": "00:00"}).zone.key == "UTC"
    assert len(WEEKDAYS) == 7
