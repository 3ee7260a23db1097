"""How often an entity may enter: what users write, and the rule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.reentry import MAX_VALUE_BYTES, NoKeyError, Reentry, check_key, may_enter, parse_reentry, skip_reason

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
    said = skip_reason(Reentry("once per 7 days", timedelta(7)), BEGIN, "c-1")
    assert said == "this entity entered the workflow at 2026-03-01T12:00:00.000Z, and may enter it once per 7 days"
    assert skip_reason(Reentry("once", None), BEGIN, "c-1").endswith("may enter it only once")


def keyed(key: str = "cart.id", **bound: Any) -> Reentry:
    """A bound that counts by a field."""
    reentry = parse_reentry({**(bound or {"once": True}), "key": key})
    assert reentry is not None
    return reentry


def test_a_bound_may_count_by_a_field() -> None:
    """``once`` and ``once_per`` with a key; the window is that of the text form."""
    assert (keyed().window, keyed().counted_by) == (None, "cart.id")
    hourly = keyed(once_per="1 hour")
    assert (hourly.window, hourly.how_often) == (timedelta(hours=1), "once per 1 hour")
    assert keyed(once_per="day").window == timedelta(days=1)


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"once": True},
        {"key": "a"},
        {"once": False, "key": "a"},
        {"once_per": 60, "key": "a"},
        {"once_per": "1 month", "key": "a"},
        {"once_per": "0 s", "key": "a"},
        {"once": True, "key": "a..b"},
        {"once": True, "key": ""},
        {"once": True, "key": 1},
    ],
)
def test_a_bound_by_a_field_that_is_none_is_refused(written: dict[str, Any]) -> None:
    """As in a workflow that was stored by a later version: it is broken, and nothing is guessed."""
    with pytest.raises(ValueError, match="must"):
        parse_reentry(written)


@pytest.mark.parametrize(
    ("value", "who"),
    [
        ("c-17", "c-17"),
        (17, "17"),
        ("17", "17"),
        (17.0, "17"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.50, "1.5"),
        (1e22, "10000000000000000000000"),
        (True, "true"),
        (" ", " "),
    ],
)
def test_a_value_is_counted_by_its_text(value: Any, who: str) -> None:
    """As an entity is: the number 17 and the text "17" are one cart, whichever way a system writes it today."""
    assert keyed().who("c-1", {"cart": {"id": value}}, {}) == who


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({}, "missing"),
        ({"cart": []}, "missing"),
        ({"cart": {"id": None}}, "null"),
        ({"cart": {"id": ""}}, "empty"),
        ({"cart": {"id": {"no": 1}}}, "an object"),
        ({"cart": {"id": [1]}}, "an array"),
    ],
)
def test_an_event_without_the_key_is_nobody(data: dict[str, Any], what: str) -> None:
    """It is merged neither with its entity's events nor with others that lack the key; the reason names the field."""
    with pytest.raises(NoKeyError) as refused:
        keyed().who("c-1", data, {})
    assert str(refused.value) == f"cart.id is {what}, and the workflow may be entered only once for each value of it"


def test_a_key_leads_into_the_envelope_too() -> None:
    """From ``event`` on, as a condition's field does."""
    assert keyed("event.subject").who("c-1", {"event": {"subject": "no"}}, {"subject": "s-1"}) == "s-1"
    with pytest.raises(NoKeyError):
        keyed("event").who("c-1", {}, {"subject": "s-1"})


@pytest.mark.parametrize(
    "key",
    ["cart.id", "event.subject", "event.type", "event.myext2", "event.data.cart.id", "events.subject", "currents.a"],
)
def test_a_key_that_an_event_may_have_is_accepted(key: str) -> None:
    """Any field of its data; any attribute, extensions too, of its envelope."""
    assert check_key(key) == key


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("current.customer.id", "current"),
        ("results.0.output", "results"),
        ("secrets.TOKEN", "secrets"),
        ("workflow.id", "workflow"),
        ("event", "event.subject"),
        ("event.", "dots"),
        ("event.noSuch", "event.subject"),
        ("event.no_such", "event.subject"),
        ("event.subject.id", "event.subject"),
        ("event.data", "event.subject"),
    ],
)
def test_a_key_that_no_event_can_have_is_refused_on_save(key: str, said: str) -> None:
    """It would skip every event; a bound that was stored with it is still read."""
    with pytest.raises(ValueError, match="must") as refused:
        check_key(key)
    assert said in str(refused.value)
    if not key.endswith("."):
        assert keyed(key).counted_by == key


@given(st.text(min_size=1), st.text(min_size=1))
def test_long_values_are_bounded_and_stay_apart(one: str, two: str) -> None:
    """Whatever their length; a digest is not mistaken for a value that is written as it."""
    stretched = [text * (1 + 2 * MAX_VALUE_BYTES // len(text)) for text in (one, two)]
    found = [keyed().who("e", {"cart": {"id": text}}, {}) for text in (*stretched, one, two)]
    assert all(len(who.encode()) < 2 * MAX_VALUE_BYTES for who in found)
    assert (found[0] == found[1]) == (stretched[0] == stretched[1])
    assert keyed().who("e", {"cart": {"id": found[0]}}, {}) != found[0]


def test_the_reason_names_key_and_value() -> None:
    """A long value by its start."""
    said = skip_reason(keyed(once_per="1 hour"), BEGIN, "c-17")
    assert said.startswith('an event with cart.id "c-17" entered the workflow at 2026-03-01T12:00:00.000Z, ')
    assert said.endswith(", and may enter it once per 1 hour")
    assert f'"{"x" * 80}…"' in skip_reason(keyed(), BEGIN, "x" * 200)
