"""What has changed in a workflow, in words: a sentence a change, whatever was written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.structural_diff import same
from app.services.workflows.change_words import in_words
from tests.domain.test_structural_diff import VALUES

TOTAL = {"field": "order.total", "operator": ">", "value": 500}
COUNTRY = {"field": "customer.country", "operator": "==", "value": "PT"}
MAIL = {"type": "send_email", "order": 1, "config": {"subject": "Hi", "text": "x"}, "conditions": []}
TAG = {"type": "apply_tag", "order": 2, "config": {"tag": "vip"}, "conditions": []}


def workflow(**changes: Any) -> dict[str, Any]:
    """A workflow as its user wrote it."""
    whole = {
        "name": "Big order",
        "priority": 5,
        "trigger": {"type": "order.paid", "config": {}},
        "conditions": [TOTAL],
        "actions": [MAIL, TAG],
    }
    return {**whole, **changes}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"conditions": [{**TOTAL, "value": 1000}]}, "Condition now *order total* is more than 1,000 instead of 500"),
        (
            {"conditions": [{**TOTAL, "operator": "<="}]},
            "Condition now *order total* is at most 500 instead of *order total* is more than 500",
        ),
        ({"conditions": [TOTAL, COUNTRY]}, "Condition added: *customer country* is “PT”"),
        ({"conditions": []}, "Condition removed: *order total* is more than 500"),
        (
            {"conditions": [{**TOTAL, "logic": "OR"}]},
            "Condition *order total* now joined to the next by or instead of and",
        ),
        (
            {"conditions": [{"any": [TOTAL, COUNTRY]}]},
            (
                "Condition now (*order total* is more than 500 or *customer country* is “PT”)"
                " instead of *order total* is more than 500"
            ),
        ),
        (
            {"conditions": [{**TOTAL, "operator": "<", "value": {"now": "-3d"}}]},
            "Condition now *order total* is longer ago than 3 days instead of *order total* is more than 500",
        ),
        (
            {"conditions": [{**TOTAL, "value": None, "operator": "=="}]},
            "Condition now *order total* is empty instead of *order total* is more than 500",
        ),
        ({"name": 'A "big"\n order'}, 'Name now “A "big"\\n order” instead of “Big order”'),
        ({"name": "Huge order"}, "Name now “Huge order” instead of “Big order”"),
        ({"priority": 1}, "Priority now 1 instead of 5"),
        ({"reentry": "once"}, "How often one may enter now “once”"),
        (
            {"trigger": {"type": "order.created", "config": {}}},
            "Starts with *order.created* instead of *order.paid*",
        ),
        ({"actions": [MAIL]}, "Step 2 removed: Put a tag on the customer, *Tag* “vip”"),
        (
            {"conditions": [TOTAL, {**COUNTRY, "operator": "in", "value": ["PT", "BR", "AO"]}]},
            "Condition added: *customer country* is one of “PT”, “BR” or “AO”",
        ),
        (
            {"actions": [{**MAIL, "config": {"subject": "Hello", "text": "x"}}, TAG]},
            "Step 1 (Send an e-mail): *Subject* now “Hello” instead of “Hi”",
        ),
        (
            {"actions": [MAIL, {**TAG, "conditions": [TOTAL]}]},
            "Step 2 (Put a tag on the customer): condition added: *order total* is more than 500",
        ),
    ],
)
def test_a_change_is_a_sentence(changes: dict[str, Any], words: str) -> None:
    """As the publish preview shows it."""
    assert in_words(workflow(), workflow(**changes)) == [words]


def test_the_step_of_one_that_was_only_begun_is_no_change() -> None:
    """Nobody wrote it, so that it goes is not said; one that somebody wrote is said as it goes."""
    begun = {"type": "stop_workflow", "order": 1, "config": {}}
    added = ["Step 1 added: Put a tag on the customer, *Tag* “vip”"]
    assert in_words(workflow(actions=[begun]), workflow(actions=[TAG])) == added
    (said,) = in_words(workflow(actions=[{**begun, "config": {"reason": "Late"}}]), workflow(actions=[TAG]))
    assert "Stop here" in said


@given(
    before=st.dictionaries(st.sampled_from(["name", "trigger", "conditions", "actions", "odd"]), VALUES, max_size=5),
    after=st.dictionaries(st.sampled_from(["name", "trigger", "conditions", "actions", "odd"]), VALUES, max_size=5),
)
def test_whatever_differs_is_said(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Of any two drafts, finished or not: nothing where they are the same, something where they are not, and short."""
    words = in_words(before, after)
    assert bool(words) is not same(before, after)
    assert all(len(line) < 2000 for line in words)
