"""What is sent is what the contracts take, and the conditions of the workflows say what is expected of them."""

from datetime import UTC, datetime
from typing import Final

import pytest

from app.actions.configs import validate_config
from app.domain.conditions import Scope, compile_conditions
from app.services.proving.load import MARK, OWN, WAIT, Load, entities_for, met
from schemas.event import Event
from schemas.event_types import event_group, is_event_type
from schemas.workflow import WorkflowDraft
from tests.services.proving.made import load

_NOW: Final = datetime(2026, 3, 4, tzinfo=UTC)


def holds(ours: Load, name: str, number: int) -> bool:
    """Tell whether an event meets a workflow's conditions, by the product's own rules."""
    (conditions,) = [draft["conditions"] for key, draft in ours.drafts("http://r", "ours").items() if key == name]
    scope = Scope(ours.event(number, _NOW)["data"], {}, _NOW)
    return compile_conditions(conditions).evaluate(scope).met


@pytest.mark.parametrize("number", [-1, 0, 1, 5, 10, 15])
def test_conditions_say_what_is_expected(number: int) -> None:
    """What the ledger expects of an event is what the workflows' conditions make of it."""
    ours = load()
    for _, one in ours.expected(range(number, number + 1)):
        assert holds(ours, one.workflow, number) == (one.status == "success")


def test_drafts_are_valid_and_ours() -> None:
    """The API takes them, and each can be told from a user's by its name and its type."""
    ours = load()
    for name, draft in ours.drafts("http://127.0.0.1:9", "ours").items():
        checked = WorkflowDraft.model_validate(draft)
        assert checked.name.startswith(f"{MARK} {ours.run}: {name}")
        assert checked.trigger.type == ours.event_type
        for action in draft["actions"]:
            assert not validate_config(action["type"], action["config"])


def test_events_are_valid_and_of_a_type_of_their_own() -> None:
    """They flow through the topic of custom events: none has to be made for them."""
    ours = load()
    assert is_event_type(ours.event_type)
    assert event_group(ours.event_type) == "custom"
    for number in (-1, 0, 7):
        event = Event.model_validate(ours.event(number, _NOW))
        assert (event.type, event.subject) == (ours.event_type, ours.entity(number))


def test_a_customer_stays_below_the_budget_of_runs() -> None:
    """One workflow runs for one customer at most 500 times in a run, whatever its length; 1,000 an hour are a loop."""
    for events in (1, 10_000, 10_001, 1_000_000):
        assert -(-events // entities_for(events)) <= 500
    assert entities_for(1) == 20


def test_without_the_crm_nothing_touches_it() -> None:
    """Neither a workflow nor an expectation."""
    ours = load(crm=False)
    kinds = {action["type"] for draft in ours.drafts("http://r", "ours").values() for action in draft["actions"]}
    assert kinds == {"webhook", "delay"}
    assert not ours.own(range(100))


def test_the_way_is_tried_without_waiting() -> None:
    """Events before the load try the webhook and the CRM, for a customer who is not the load's."""
    ours = load()
    assert met(-1) == {OWN: True, WAIT: False}
    assert ours.entity(-1) not in {ours.entity(number) for number in range(100)}
    assert ours.entity(-1) == ours.entity(-2)
