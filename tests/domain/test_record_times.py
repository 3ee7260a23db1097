"""Timestamps of records that cannot be meant."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.errors import PoisonError
from app.domain.record_times import check_record_time

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)


def refused(timestamp: float) -> str:
    """Why a timestamp is refused."""
    with pytest.raises(PoisonError) as failure:
        check_record_time(timestamp, NOW.timestamp())
    assert failure.value.reason == "absurd_timestamp"
    return failure.value.detail


@pytest.mark.parametrize("moment", [datetime(2000, 1, 1, tzinfo=UTC), NOW, NOW + timedelta(days=1)])
def test_what_may_be_meant_passes(moment: datetime) -> None:
    """From 2000 to a day ahead, which clocks may be wrong by."""
    check_record_time(moment.timestamp(), NOW.timestamp())


@pytest.mark.parametrize(
    ("timestamp", "seen"),
    [
        (0.0, "is 0 ms, 1970-01-01T00:00:00+00:00"),
        (-1e9, "1938-04-24"),
        (datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp(), "1999-12-31T23:59:59+00:00"),
        ((NOW + timedelta(days=1, seconds=1)).timestamp(), "2026-03-02T10:00:01+00:00"),
        (datetime(5000, 1, 1, tzinfo=UTC).timestamp(), "5000-01-01"),
        (9.2e15, "in no year that a calendar has"),
        (-9.2e15, "in no year that a calendar has"),
    ],
)
def test_the_refusal_says_what_was_seen(timestamp: float, seen: str) -> None:
    """The number as Kafka has it, and the time that it is."""
    assert seen in refused(timestamp)


@pytest.mark.parametrize(("factor", "unit"), [(0.001, "seconds"), (1000, "microseconds"), (1e6, "nanoseconds")])
def test_a_wrong_unit_is_guessed(factor: float, unit: str) -> None:
    """Seconds for milliseconds are a common mistake."""
    assert f"it would be 2026-03-01T10:00:00+00:00 if it was set in {unit}" in refused(NOW.timestamp() * factor)
