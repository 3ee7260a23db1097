"""Moments: what systems send as a time, and the first moment of business hours."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.moments import EVERY_DAY, first_open, next_open, parse_clock, parse_days, read_moment
from tests.support.zones import ZONES_IN_SHORT

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = frozenset(range(5))


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-01T09:30:00Z", "2026-03-01T09:30:00+00:00"),
        ("2026-03-01T09:30+02:00", "2026-03-01T09:30:00+02:00"),
        ("2026-03-01T09:30", "2026-03-01T09:30:00"),
        ("2026-03-01 09:30:00.25", "2026-03-01T09:30:00.250000"),
        (" 2026-03-01 ", "2026-03-01T00:00:00"),
        (1772357400, "2026-03-01T09:30:00+00:00"),
        ("1772357400", "2026-03-01T09:30:00+00:00"),
        (1772357400.5, "2026-03-01T09:30:00.500000+00:00"),
        ("1772357400.123456789", "2026-03-01T09:30:00.123456+00:00"),
        (1772357400123, "2026-03-01T09:30:00.123000+00:00"),
        ("1772357400123", "2026-03-01T09:30:00.123000+00:00"),
        (1772357400123.0, "2026-03-01T09:30:00.123000+00:00"),
        (1000000000, "2001-09-09T01:46:40+00:00"),
        (9999999999, "2286-11-20T17:46:39+00:00"),
        (1000000000000, "2001-09-09T01:46:40+00:00"),
        (9999999999999, "2286-11-20T17:46:39.999000+00:00"),
    ],
)
def test_what_systems_send_is_read(written: Any, moment: str) -> None:
    """ISO 8601 with or without zone, a date, Unix seconds or milliseconds; naive where no zone is named."""
    assert read_moment(written) == datetime.fromisoformat(moment)
    assert (read_moment(written).tzinfo is None) == (datetime.fromisoformat(moment).tzinfo is None)


@pytest.mark.parametrize(
    "written",
    [
        "", "soon", "2026-02-30", "09:30", None, True, [], {},
        0, -1, "-1772357400", 999999999, 10000000000, 999999999999, 10000000000000,
        20260301, "20260301", "0000000001", 202603010930, 20260301093000,
        1772357400123456, 1772357400123456789, 1e300, float("nan"), float("inf"), "1e9", "١٧٧٢٣٥٧٤٠٠",
    ],
)  # fmt: skip
def test_what_is_no_time_or_could_be_several_is_refused(written: Any) -> None:
    """Compact dates, microseconds, 0 for never: any number that has neither 10 digits nor 13."""
    with pytest.raises(ValueError, match="must be"):
        read_moment(written)


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("Mon, wed,FRI", {0, 2, 4}),
        ("fri-mon", {4, 5, 6, 0}),
        ("sun", {6}),
        ("sat-sat", {5}),
        ("mon-wed,sat - sun", {0, 1, 2, 5, 6}),
        (["mon", "thu-fri"], {0, 3, 4}),
        ("['mon', 'thu-fri']", {0, 3, 4}),
        ('["mon","tue"]', {0, 1}),
    ],
)
def test_days_are_names_and_ranges(written: Any, days: set[int]) -> None:
    """Of three letters; a range may pass Sunday."""
    assert parse_days(written) == days


@pytest.mark.parametrize(
    "written",
    [
        "",
        ",",
        "monday",
        "mon-",
        "mon-tue-wed",
        "weekdays",
        "1-5",
        [],
        [1],
        ["mon", ""],
        5,
        None,
        "[]",
        "[mon",
        "[['mon']]",
    ],
)
def test_what_are_no_days_is_refused(written: Any) -> None:
    """With what they look like."""
    with pytest.raises(ValueError, match="such as mon-fri"):
        parse_days(written)


@pytest.mark.parametrize("written", ["9:00", "24:00", "09:60", "09:00:00", "0900", "", " 09:00", 9, None])
def test_what_is_no_time_of_day_is_refused(written: Any) -> None:
    """HH:MM, from 00:00 to 23:59."""
    with pytest.raises(ValueError, match="such as 09:00"):
        parse_clock(written)


@pytest.mark.parametrize(
    ("moment", "at", "days", "expected"),
    [
        # 2026-03-06 is a Friday.
        ("2026-03-06T17:00+01:00", "09:00", WORKDAYS, "2026-03-09T09:00+01:00"),
        ("2026-03-06T08:00+01:00", "09:00", WORKDAYS, "2026-03-06T09:00+01:00"),
        ("2026-03-06T09:00+01:00", "09:00", WORKDAYS, "2026-03-06T09:00+01:00"),
        ("2026-03-06T09:00:01+01:00", "09:00", EVERY_DAY, "2026-03-07T09:00+01:00"),
        ("2026-03-06T17:00+01:00", None, WORKDAYS, "2026-03-06T17:00+01:00"),
        ("2026-03-07T17:00+01:00", None, WORKDAYS, "2026-03-09T00:00+01:00"),
        ("2026-03-07T17:00+01:00", None, EVERY_DAY, "2026-03-07T17:00+01:00"),
        # Thursday 23:30 in UTC is Friday in Berlin.
        ("2026-03-05T23:30+00:00", None, frozenset({4}), "2026-03-05T23:30+00:00"),
        # The gap of 2026-03-29, a Sunday, and the repeated hour of 2026-10-25.
        ("2026-03-28T12:00+01:00", "02:30", EVERY_DAY, "2026-03-29T03:00+02:00"),
        ("2026-10-25T00:00+02:00", "02:30", EVERY_DAY, "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:31+02:00", "02:30", EVERY_DAY, "2026-10-26T02:30+01:00"),
    ],
)
def test_business_hours(moment: str, at: str | None, days: frozenset[int], expected: str) -> None:
    """The first moment at or after one whose local day and time are those."""
    found = first_open(datetime.fromisoformat(moment), time.fromisoformat(at) if at else None, days, BERLIN)
    assert found == datetime.fromisoformat(expected)


def test_a_weekday_that_a_zone_has_skipped() -> None:
    """Samoa had no Friday 2011-12-30: the next Friday is a week on, and Saturday at nine is at nine."""
    apia, thursday = ZoneInfo("Pacific/Apia"), datetime(2011, 12, 30, 0, 0, tzinfo=UTC)
    assert first_open(thursday, time(9), frozenset({4}), apia).astimezone(apia).date().isoformat() == "2012-01-06"
    assert first_open(thursday, time(9), frozenset({5}), apia).astimezone(apia).isoformat()[:16] == "2011-12-31T09:00"


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES_IN_SHORT).map(ZoneInfo),
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    at=st.none() | st.builds(time, st.integers(0, 23), st.sampled_from([0, 30])),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    late=st.integers(-240, 240),
)
def test_the_first_open_moment_is_the_walked_one(
    zone: ZoneInfo, moment: datetime, at: time | None, days: frozenset[int], late: int
) -> None:
    """Walked by quarter hours, from now on where that is later: nothing before it fits, and it fits, or ends a gap."""
    moment = moment.replace(minute=0, second=0, microsecond=0)
    now = moment + timedelta(hours=late)
    found = next_open(moment, now, at, days, zone)
    if at is None and days == EVERY_DAY:
        assert found == moment
        return
    moment = max(moment, now)
    walked = moment
    seen: set[datetime] = set()
    back = moment - timedelta(hours=3)  # what was passed for the first time before the moment does not count again
    while back < moment:
        seen.add(back.astimezone(zone).replace(tzinfo=None, fold=0))
        back += timedelta(minutes=15)
    while not fits(walked, at, days, zone, seen):
        walked += timedelta(minutes=15)
    local = found.astimezone(zone)
    in_gap = (
        at is not None
        and local.time() != at
        and (found - timedelta(minutes=1)).astimezone(zone).utcoffset() != local.utcoffset()
    )
    assert found == walked or (in_gap and found < walked)


def fits(moment: datetime, at: time | None, days: frozenset[int], zone: ZoneInfo, seen: set[datetime]) -> bool:
    """Whether a walked moment is open: its day, its time, and not passed before."""
    local = moment.astimezone(zone)
    first = local.replace(tzinfo=None, fold=0) not in seen
    seen.add(local.replace(tzinfo=None, fold=0))
    return local.weekday() in days and (at is None or (local.time() == at and first))
