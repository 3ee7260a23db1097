"""How often an entity may enter: what users write, and the rule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.reentry import Reentry, may_enter, parse_reentry, skip_reason

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("once", None),
        ("once per 7 days", timedelta(days=7)),
        ("once per day", timedelta(days=1)),
        ("once per 90", timedelta(seconds=90)),
        ("once per 1w", timedelta(weeks=1)),
        ("once per PT2H", timedelta(hours=2)),
        ("once per 366 days", timedelta(days=366)),
    ],
)
def test_a_bound_is_read_as_it_was_written(text: str, window: timedelta | None) -> None:
    """``once`` has no end, durations are those of ``delay``, and a unit by itself is one of it."""
    assert parse_reentry(text) == Reentry(text, window)


def test_always_sets_no_bound() -> None:
    """Which is the default."""
    assert parse_reentry("always") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "never",
        "Once",
        "once a day",
        "once  per day",
        "once per",
        "once per ",
        "once per month",
        "once per 0",
        "once per 0.5 s",
        "once per -1 day",
        "once per 367 days",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """With a message that says what is expected."""
    with pytest.raises(ValueError, match="must be"):
        parse_reentry(text)


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 20) | st.none())
def test_entries_are_a_window_apart(seconds: list[int], window_s: int | None) -> None:
    """Whoever comes when: the first enters, entries are a window apart, and nobody is kept out for longer."""
    window = None if window_s is None else timedelta(seconds=window_s)
    entered: list[datetime] = []
    for at in (BEGIN + timedelta(seconds=second) for second in sorted(seconds)):
        last = entered[-1] if entered else None
        if may_enter(at, last, window):
            assert last is None or (window is not None and at - last >= window)
            entered.append(at)
        else:
            assert last is not None
            assert window is None or at - last < window
    assert bool(entered) == bool(seconds)


def test_an_event_from_before_the_last_entry_does_not_enter() -> None:
    """However long before: read again, it is judged as it was then."""
    assert not may_enter(BEGIN - timedelta(days=30), BEGIN, timedelta(days=1))


def test_the_reason_says_since_when_and_how_often() -> None:
    """It is what the log shows."""
    said = skip_reason(Reentry("once per 7 days", timedelta(7)), BEGIN)
    assert said == "this entity entered the workflow at 2026-03-01T12:00:00.000Z, and may enter it once per 7 days"
    assert skip_reason(Reentry("once", None), BEGIN).endswith("may enter it only once")
