"""What has changed in a workflow, in words: a sentence a change, whatever was written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.change_words import in_words
from app.domain.structural_diff import same
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
        ({"conditions": [{**TOTAL, "value": 1000}]}, "Condition *order total* now greater than 1,000 instead of 500"),
        (
            {"conditions": [{**TOTAL, "operator": "<="}]},
            "Condition *order total* now at most 500 instead of greater than 500",
        ),
        ({"conditions": [TOTAL, COUNTRY]}, 'Condition added: *customer country* equal to "PT"'),
        ({"conditions": []}, "Condition removed: *order total* greater than 500"),
        (
            {"conditions": [{**TOTAL, "logic": "OR"}]},
            "Condition *order total* now joined to the next by or instead of and",
        ),
        (
            {"conditions": [{"any": [TOTAL, COUNTRY]}]},
            (
                'Condition now any of (*order total* greater than 500, *customer country* equal to "PT")'
                " instead of *order total* greater than 500"
            ),
        ),
        ({"name": "Huge order"}, 'Name now "Huge order" instead of "Big order"'),
        ({"priority": 1}, "Priority now 1 instead of 5"),
        ({"reentry": "once"}, 'How often one may enter now "once"'),
        (
            {"trigger": {"type": "order.created", "config": {}}},
            "Starts with *order.created* instead of *order.paid*",
        ),
        ({"actions": [MAIL]}, 'Step 2 removed: apply tag, *tag* "vip"'),
        (
            {"conditions": [TOTAL, {**COUNTRY, "operator": "in", "value": ["PT", "BR", "AO"]}]},
            'Condition added: *customer country* one of "PT", "BR" or "AO"',
        ),
        (
            {"actions": [{**MAIL, "config": {"subject": "Hello", "text": "x"}}, TAG]},
            'Step 1 (send email): *subject* now "Hello" instead of "Hi"',
        ),
        (
            {"actions": [MAIL, {**TAG, "conditions": [TOTAL]}]},
            "Step 2 (apply tag): condition added: *order total* greater than 500",
        ),
    ],
)
def test_a_change_is_a_sentence(changes: dict[str, Any], words: str) -> None:
    """As the publish preview shows it."""
    assert in_words(workflow(), workflow(**changes)) == [words]


def test_the_step_of_one_that_was_only_begun_is_no_change() -> None:
    """Nobody wrote it, so that it goes is not said; one that somebody wrote is said as it goes."""
    begun = {"type": "stop_workflow", "order": 1, "config": {}}
    added = ['Step 1 added: apply tag, *tag* "vip"']
    assert in_words(workflow(actions=[begun]), workflow(actions=[TAG])) == added
    (said,) = in_words(workflow(actions=[{**begun, "config": {"reason": "Late"}}]), workflow(actions=[TAG]))
    assert "stop workflow" in said


@given(
    before=st.dictionaries(st.sampled_from(["name", "trigger", "conditions", "actions", "odd"]), VALUES, max_size=5),
    after=st.dictionaries(st.sampled_from(["name", "trigger", "conditions", "actions", "odd"]), VALUES, max_size=5),
)
def test_whatever_differs_is_said(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Of any two drafts, finished or not: nothing where they are the same, something where they are not, and short."""
    words = in_words(before, after)
    assert bool(words) is not same(before, after)
    assert all(len(line) < 2000 for line in words)
