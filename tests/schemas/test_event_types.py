"""Event types: any dotted name is one, on a topic that is declared; those of schedules are ours."""

import pytest

from app.services.ingest.admission import Admission
from app.topics import Topics
from schemas.event import Event
from schemas.event_types import is_event_type, is_own_type, resembled, type_problem

TOPICS = Topics("t.")


@pytest.mark.parametrize(
    ("event_type", "group"),
    [
        ("order.paid", "order"),
        ("order.refunded", "order"),
        ("message.read", "conversation"),
        ("com.shop.cart.abandoned", "custom"),
        ("com.Shop.Cart-Abandoned", "custom"),
        ("custom.signup", "custom"),
        ("Order.paid", "custom"),
    ],
)
def test_any_dotted_type_is_one_and_has_a_declared_topic(event_type: str, group: str) -> None:
    """By its first word, or among the custom ones; there it is admitted, and nowhere else."""
    assert is_event_type(event_type)
    topic = TOPICS.events(event_type)
    assert topic == f"t.events.{group}"
    assert topic in TOPICS.outside_events()
    Admission(TOPICS).check(Event(specversion="1.0", id="1", source="/s", type=event_type), topic)


@pytest.mark.parametrize(
    "event_type", ["order", "", ".paid", "order.", "a..b", "a b.c", "a.b\n", "é.b", "a.-b", "x" * 99 + ".y",
                   "temporal.hourly", "Temporal.daily", "TEMPORAL.x"]
)  # fmt: skip
def test_what_is_no_type_is_refused(event_type: str) -> None:
    """No dot, an empty word, other letters, too long; and whatever looks like a schedule's."""
    assert not is_event_type(event_type)
    assert type_problem(event_type) is not None


@pytest.mark.parametrize(
    ("event_type", "said"),
    [
        ("order", "a dotted name is one"),
        ("é.b", "of letters from a to z, digits, _ and -"),
        ("x" * 99 + ".y", "at most 100 characters, and this has 101"),
        ("temporal.hourly", "there are temporal.daily, temporal.weekly, temporal.monthly"),
    ],
)
def test_what_is_wrong_with_a_type_is_said(event_type: str, said: str) -> None:
    """Its form, its length, or that there is no such schedule."""
    assert said in (type_problem(event_type) or "")
    assert type_problem("order.paid") is None


@pytest.mark.parametrize("event_type", ["temporal.daily", "Temporal.daily", "temporal.x"])
def test_schedules_types_are_ours_however_they_are_spelt(event_type: str) -> None:
    """So none of them comes from outside."""
    assert is_own_type(event_type)


@pytest.mark.parametrize(
    ("event_type", "near"),
    [("order.payed", "order.paid"), ("Order.Paid", "order.paid"), ("order.refunded", None), ("order.paid", None),
     ("com.shop.cart.abandoned", None)],
)  # fmt: skip
def test_a_type_that_resembles_a_known_one_is_asked_about(event_type: str, near: str | None) -> None:
    """Slips of the pen, and no types of one's own."""
    assert resembled(event_type) == near
