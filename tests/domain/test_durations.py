"""Durations as people write them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.durations import parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90),
        (0.5, 0.5),
        ("90", 90),
        ("15m", 900),
        ("2h", 7200),
        ("2 hours", 7200),
        ("1 day", 86_400),
        ("3 days", 259_200),
        ("1w", 604_800),
        ("1.5h", 5400),
        ("30 min", 1800),
        ("5 secs", 5),
        ("PT2H", 7200),
        ("P1DT2H30M", 95_400),
        ("P2W", 1_209_600),
        ("PT90S", 90),
        (" 10 m ", 600),
        (0, 0),
    ],
)
def test_a_duration_is_read(written: Any, seconds: float) -> None:
    """A bare number is seconds; units by letter or word; ISO 8601."""
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written",
    ["", "soon", "P", "PT", "P1M", "P1Y", "-5m", "2h30m", "367 days", "1e5", True, None, [], "5 minutess", "\u0663h"],
)
def test_what_is_none_is_refused(written: Any) -> None:
    """Months and years have no fixed length; signs, mixtures and more than 366 days are none either."""
    with pytest.raises(ValueError, match="must be"):
        parse_duration(written)


@given(st.integers(0, 366 * 24))
def test_units_agree(hours: int) -> None:
    """The same time in hours, seconds and ISO 8601 is the same duration."""
    assert parse_duration(f"{hours}h") == parse_duration(hours * 3600) == parse_duration(f"PT{hours}H")
