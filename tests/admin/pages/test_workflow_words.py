"""What pages say of workflows: triggers, changes, bars, and the conditions that an event proposes."""

from typing import Any

import pytest

from app.admin.pages.triggers import event_in_words, trigger_in_words
from app.admin.pages.wording import emphasized
from app.admin.pages.workflows.bars import bar_of
from app.admin.pages.workflows.proposing import proposed
from app.services.operations.recent_runs import MOST, RecentRuns
from schemas.event_types import BUSINESS_EVENT_TYPES
from schemas.workflow import Trigger

_AT = {"at": "09:00", "timezone": "America/Sao_Paulo"}


@pytest.mark.parametrize(
    ("event_type", "config", "said"),
    [
        ("order.paid", {}, "When an order is paid"),
        ("tag.applied", {"tag": "VIP"}, "When the tag “VIP” is applied"),
        ("customer.updated", {"fields": ["city", "e_mail"]}, "When city or e mail of a customer is changed"),
        ("shop.cart.left", {}, "When “shop.cart.left” happens"),
        ("temporal.daily", _AT, "Every day at 09:00 (America/Sao Paulo)"),
        ("temporal.weekly", {**_AT, "days": ["fri", "mon"]}, "Every Monday and Friday at 09:00 (America/Sao Paulo)"),
        ("temporal.monthly", {"at": "08:30", "day": 22}, "On the 22nd of every month at 08:30 (UTC)"),
        (
            "temporal.daily",
            {"at": "08:30", "audience": [{}]},
            "Every day at 08:30 (UTC), for each customer who meets 1 condition",
        ),
    ],
)
def test_a_trigger_is_said_as_a_person_says_it(event_type: str, config: dict[str, Any], said: str) -> None:
    """With what it asks for."""
    assert trigger_in_words(Trigger(type=event_type, config=config)) == said


@pytest.mark.parametrize("draft", [None, {}, {"type": 5}, {"type": "", "config": 3}])
def test_an_unfinished_trigger_is_said_too(draft: Any) -> None:
    """A draft may hold anything."""
    assert trigger_in_words(draft) == "No trigger yet"


@pytest.mark.parametrize("config", [{"days": 3}, {"day": "x"}, {"at": 5, "audience": "all"}, {"tag": 1, "fields": 1}])
def test_a_config_of_a_wrong_shape_is_passed_over(config: dict[str, Any]) -> None:
    """Whoever checks the draft says what is wrong with it."""
    for event_type in ("temporal.weekly", "temporal.monthly", "customer.updated", "tag.removed"):
        assert trigger_in_words({"type": event_type, "config": config})


def test_every_known_event_has_words() -> None:
    """None is told by its name."""
    assert not [one for one in BUSINESS_EVENT_TYPES if one in event_in_words(one)]


def test_names_of_fields_are_emphasized_and_values_are_not() -> None:
    """Whatever a value holds is text."""
    said = emphasized('Name of *order total* now "a *b* <i>" instead of *')
    assert said == "Name of <strong>order total</strong> now &#34;a *b* &lt;i&gt;&#34; instead of *"
    assert emphasized("*Tag* “a *b* c” and *d*") == "<strong>Tag</strong> “a *b* c” and <strong>d</strong>"


def test_a_bar_shows_each_part_and_says_it() -> None:
    """Also a part that is too small to be seen, and that there were more than were counted."""
    bar = bar_of(RecentRuns(succeeded=MOST - 1, failed=1))
    assert [tone for tone, _, _ in bar.parts] == ["good", "bad"]
    assert bar.parts[1][2] > 3
    assert sum(length for _, _, length in bar.parts) == pytest.approx(100, abs=0.1)
    assert bar.words == "Of the last 500: 499 succeeded, 1 failed"
    assert bar_of(RecentRuns()).words == "No event in 24 hours"


def test_an_event_proposes_what_it_may_share_with_others() -> None:
    """Amounts first, then what is in lists, then words; nothing that is this one's alone."""
    data = {
        "customer": {"id": "c-1", "email": "a@example.com", "state": "SP", "tags": ["VIP"], "is_new": False},
        "order": {"id": "o-1", "total": "640.50", "placed_at": "2026-03-01", "items": [{"sku": "k"}]},
        "note": "x" * 200,
    }
    assert [(one["field"], one["operator"], one["value"]) for one in proposed(data)] == [
        ("order.total", ">=", 640.5),
        ("customer.tags", "contains", "VIP"),
        ("customer.state", "==", "SP"),
        ("customer.is_new", "==", False),
    ]
    assert proposed(None) == proposed("text") == proposed({"a.b": 1}) == []
