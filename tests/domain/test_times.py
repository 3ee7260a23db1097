"""Which strings are times, and which instants they are."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.times import format_time, instant, parse_relative, parse_time

NOON = instant(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00:00Z",
        "2026-03-01t12:00:00.000000000z",
        "2026-03-01 12:00:00,0",
        "2026-03-01T14:00:00+02:00",
        "2026-03-01T14:00:00+0200",
        "2026-03-01T14:00+02",
        "2026-02-28T23:30:00-12:30",
    ],
)
def test_spellings_of_one_instant(text: str) -> None:
    """Without an offset it is UTC; every accepted spelling of noon is the same instant."""
    assert parse_time(text) == NOON


def test_a_date_is_its_midnight_in_utc() -> None:
    """A date alone is a time too."""
    assert parse_time("2026-03-01") == instant(datetime(2026, 3, 1, tzinfo=UTC))


def test_nanoseconds_count() -> None:
    """Nine decimals are kept."""
    assert parse_time("2026-03-01T12:00:00.000000001Z") == NOON + 1


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999999-23:59"])
def test_the_ends_of_the_calendar_do_not_overflow(text: str) -> None:
    """An offset may lead out of the years 1 to 9999; the instant can still be shown."""
    time = parse_time(text)
    assert time is not None
    assert format_time(time) == "a time outside of the calendar"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20260301",
        "2026-W09-7",
        "2026-060",
        "2026-02-30",
        "2026-13-01",
        "12:00:00",
        "2026-03-01T24:00",
        "2026-03-01T12:00:60Z",
        "2026-03-01T12",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00.0123456789Z",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01Z",
        "2026-03-01T12:00:00Z ",
        "2026-03-01\n",
        " 2026-03-01",
        "\u0662026-03-01",
        "0000-01-01",
    ],
)
def test_what_is_no_full_iso_time_stays_text(text: str) -> None:
    """Basic, week and ordinal formats, impossible dates, leap seconds and trailing text are no times."""
    assert parse_time(text) is None


@given(st.datetimes(timezones=st.timezones()))
def test_every_aware_datetime_reads_back(moment: datetime) -> None:
    """What Python writes, this reads as the same instant, where the offset is in whole minutes."""
    text = moment.isoformat()
    offset = moment.utcoffset()
    assert offset is not None
    if offset.total_seconds() % 60 == 0:
        assert parse_time(text) == instant(moment)


@given(st.integers(0, 36_525), st.sampled_from(["s", "m", "h", "d", "w"]), st.sampled_from(["", "+", "-"]))
def test_a_relative_time_is_that_far_from_now(count: int, unit: str, sign: str) -> None:
    """The five units, against timedelta."""
    names = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    expected = timedelta(**{names[unit]: count}) * (-1 if sign == "-" else 1)
    if abs(expected) <= timedelta(days=36_525):
        assert parse_relative(f"{sign}{count}{unit}") == instant(datetime(1970, 1, 1, tzinfo=UTC) + expected)


@pytest.mark.parametrize(
    "text", ["", "90", "d", "-90 d", "-1.5d", "1y", "1M", "--1d", "999999999999w", "36526d", "\u0661d"]
)
def test_what_is_no_relative_time_is_refused(text: str) -> None:
    """Unknown units, fractions, blanks and more than a century are refused with a reason."""
    with pytest.raises(ValueError, match="must be"):
        parse_relative(text)
