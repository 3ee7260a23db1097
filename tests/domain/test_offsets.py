"""Offsets: how they are written, and local calendar days across changes of the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.offsets import DAY_UNITS, Offset, moved, parse_offset
from tests.support.zones import ZONES_IN_SHORT

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("-1d", Offset(-1, 0)),
        ("2h", Offset(0, 7200)),
        ("+2h", Offset(0, 7200)),
        ("-1w", Offset(-7, 0)),
        ("-1w+2d", Offset(-5, 0)),
        (" +1d -90m -30s ", Offset(1, -5430)),
        ("0d", Offset(0, 0)),
        ("-0d", Offset(0, 0)),
        ("36525d", Offset(36_525, 0)),
    ],
)
def test_an_offset_is_terms_with_signs(text: str, offset: Offset) -> None:
    """Counts of s, m, h are seconds, those of d and w are days."""
    assert parse_offset(text) == offset


@pytest.mark.parametrize(
    "text",
    ["", " ", "d", "1", "-", "--1d", "-1d2h", "1d 2h", "1mo", "1y", "-1 d", "-1d,", "\u0661d", "36526d", "-100000w",
     "1.5d", None, 1, True, []],
)  # fmt: skip
def test_anything_else_is_refused(text: Any) -> None:
    """-1d2h too: whether it is two hours more or less nobody can tell."""
    with pytest.raises(ValueError, match="must be"):
        parse_offset(text)


@pytest.mark.parametrize("text", ["1h", "+1d +2h", "0s", "30m"])
def test_an_offset_of_days_has_no_hours(text: str) -> None:
    """Where only days make sense, other units are refused."""
    with pytest.raises(ValueError, match="units d, w"):
        parse_offset(text, DAY_UNITS)


@pytest.mark.parametrize(
    ("moment", "offset", "expected"),
    [
        # The clocks go forward on 2026-03-29: a day is 23 hours, and 24 hours are more than a day.
        ("2026-03-28T09:00+01:00", "+1d", "2026-03-29T09:00+02:00"),
        ("2026-03-28T09:00+01:00", "+24h", "2026-03-29T10:00+02:00"),
        ("2026-03-30T09:00+02:00", "-1w", "2026-03-23T09:00+01:00"),
        # They go back on 2026-10-25: a day is 25 hours.
        ("2026-10-26T09:00+01:00", "-1d", "2026-10-25T09:00+01:00"),
        ("2026-10-26T09:00+01:00", "-2d", "2026-10-24T09:00+02:00"),
        ("2026-10-26T09:00+01:00", "-2d +1h", "2026-10-24T10:00+02:00"),
        # 02:30 is skipped in spring and passed twice in autumn.
        ("2026-03-28T02:30+01:00", "+1d", "2026-03-29T03:00+02:00"),
        ("2026-03-28T02:30:15+01:00", "+1d", "2026-03-29T03:00+02:00"),
        ("2026-10-24T02:30+02:00", "+1d", "2026-10-25T02:30+02:00"),
        # On the clocks of the zone, whatever zone the moment was written in.
        ("2026-03-28T23:30-05:00", "-1d", "2026-03-28T06:30+01:00"),
    ],
)
def test_days_are_the_local_calendars(moment: str, offset: str, expected: str) -> None:
    """The same time of day so many days on; hours are hours."""
    assert moved(datetime.fromisoformat(moment), parse_offset(offset), BERLIN) == datetime.fromisoformat(expected)


def test_a_local_time_is_moved_before_it_is_looked_up() -> None:
    """A day before 02:30 of a day without one is 02:30, and not 03:00."""
    found = moved(datetime(2026, 3, 29, 2, 30), Offset(-1), BERLIN)  # noqa: DTZ001 - naive is what is tested
    assert found == datetime.fromisoformat("2026-03-28T02:30+01:00")
    skipped = moved(datetime(2026, 3, 29, 2, 30), Offset(), BERLIN)  # noqa: DTZ001
    assert skipped == datetime.fromisoformat("2026-03-29T03:00+02:00")


@given(
    zone=st.sampled_from(ZONES_IN_SHORT).map(ZoneInfo),
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    days=st.integers(-400, 400).filter(bool),
)
def test_a_day_more_keeps_the_time_of_day(zone: ZoneInfo, moment: datetime, days: int) -> None:
    """In any zone: the local time is the same so many dates on, or nothing has it and it is just after a gap."""
    moment = moment.replace(second=0, microsecond=0)
    wanted = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    found = moved(moment, Offset(days), zone)
    local = found.astimezone(zone).replace(tzinfo=None)
    before = (found - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None)
    assert local.replace(fold=0) == wanted.replace(fold=0) or before < wanted < local
    assert found.astimezone(zone).fold == 0
