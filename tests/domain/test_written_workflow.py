"""What a user writes of a workflow, in the one form in which two are compared."""

from typing import Any

import pytest

from app.domain.structural_diff import same
from app.domain.written_workflow import WRITTEN, comparable, written_of
from schemas.workflow import WorkflowDraft

WHOLE: dict[str, Any] = {
    "name": "Welcome",
    "description": "",
    "priority": 5,
    "reentry": "always",
    "trigger": {"type": "customer.created", "config": {}},
    "conditions": [],
    "actions": [
        {"type": "apply_tag", "order": 1, "config": {"tag": "new"}, "conditions": [], "on_error": None},
        {"type": "apply_tag", "order": 2, "config": {"tag": "old"}, "conditions": [], "on_error": None},
    ],
}


def test_it_is_what_the_contract_has() -> None:
    """A field that users write is compared, exported and listed; none is forgotten."""
    assert tuple(WorkflowDraft.model_fields) == WRITTEN


@pytest.mark.parametrize(
    "body",
    [
        WHOLE,
        {
            "name": "Welcome",
            "trigger": {"type": "customer.created"},
            "actions": [
                {"type": "apply_tag", "order": 2, "config": {"tag": "old"}},
                {"type": "apply_tag", "order": 1, "config": {"tag": "new"}},
            ],
            "priority": 5,
        },
    ],
    ids=["whole", "short"],
)
def test_what_reads_back_the_same_is_the_same(body: dict[str, Any]) -> None:
    """What is left out, and the order of the list: it is read back as it is here."""
    read_back = WorkflowDraft.model_validate(body).model_dump(mode="json")
    assert same(comparable(body), WHOLE)
    assert same(comparable(read_back), WHOLE)


def test_what_others_add_is_left_out() -> None:
    """An answer of the API has more than its user wrote."""
    assert same(written_of({**WHOLE, "id": "1", "version": 7, "active": True}), WHOLE)


@pytest.mark.parametrize(
    "body", [{}, {"actions": 3}, {"actions": [3, {"order": "x"}]}, {"trigger": [], "priority": "x"}]
)
def test_what_is_of_a_wrong_shape_stays(body: dict[str, Any]) -> None:
    """Whoever checks it says what is wrong."""
    found = comparable(body)
    assert all(found[name] == value or name == "actions" for name, value in body.items())
