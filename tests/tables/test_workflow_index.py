"""The index of workflows: versions only go up, and only what is active is matched."""

import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domain.conditions import Scope
from app.services.workflows.index import Applied, Change, Tombstone, WorkflowIndex
from schemas.workflow import Revision, Trigger
from tests.tables.revisions import revision, workflow_id


def ids(index: WorkflowIndex, event_type: str = "order.created") -> list[UUID]:
    """Ids of what matches, in order."""
    return [workflow.id for workflow in index.matching(event_type)]


def test_an_active_workflow_is_found_under_its_trigger_type_only() -> None:
    """A workflow matches events of its own type and no other."""
    index = WorkflowIndex()
    assert index.apply(revision()) is Applied.ACTIVE
    assert ids(index) == [workflow_id(0)]
    assert ids(index, "order.paid") == []


def test_a_revision_from_before_objects_had_to_be_operands_still_matches() -> None:
    """What was saved once is taken: the workflow is active, and its condition is judged as it was then."""
    index = WorkflowIndex()
    old = {"field": "order.due", "operator": "!=", "value": {"tomorrow": True}}
    assert index.apply(revision(conditions=[old])) is Applied.ACTIVE
    (workflow,) = index.matching("order.created")
    found = workflow.conditions.evaluate(Scope({"order": {"due": "2026-03-01"}}, {}, datetime.now(UTC)))
    assert (found.met, "no known operand" in found.verdicts[0].reason) == (True, True)


def test_it_is_compiled_once_for_the_matcher() -> None:
    """Conditions, the order of actions, the lane and the pinned revision are ready when an event comes."""
    index = WorkflowIndex()
    index.apply(revision(priority=3))
    (workflow,) = index.matching("order.created")
    assert workflow.lane == "high"
    assert workflow.first_action == "apply_tag"
    assert [action.type for action in workflow.pinned.actions] == ["apply_tag", "create_note"]
    assert (workflow.pinned.id, workflow.pinned.version) == (workflow.id, workflow.version) == (workflow_id(0), 1)
    assert workflow.conditions is index.matching("order.created")[0].conditions


def test_priority_four_takes_the_normal_lane() -> None:
    """Priorities 1 to 3 take the high lane, 4 does not."""
    index = WorkflowIndex()
    index.apply(revision(priority=4))
    assert index.matching("order.created")[0].lane == "normal"


def test_workflows_of_one_type_come_by_priority_then_id() -> None:
    """The order does not depend on the order of arrival."""
    changes = [revision(number, priority=5 if number % 2 else 2) for number in range(6)]
    expected = [c.id for c in sorted(changes, key=lambda c: (c.priority, c.id))]
    for arrival in (changes, changes[::-1]):
        index = WorkflowIndex()
        for change in arrival:
            index.apply(change)
        assert ids(index) == expected


def test_a_change_costs_the_same_however_many_wait_for_the_type() -> None:
    """A cold start learns ten thousand workflows of one type within its seconds; so does a change of each of them."""
    few, many = calls_of_learning(50), calls_of_learning(400)
    assert many < 10 * few


def calls_of_learning(count: int) -> int:
    """How many calls it takes to learn workflows of one type, then another version of each, and then to forget them."""
    changes: list[Change] = [revision(number, version=version) for version in (1, 2) for number in range(count)]
    changes += [Tombstone(workflow_id(number)) for number in range(count)]
    index, calls = WorkflowIndex(), 0

    def see(_frame: Any, what: str, _given: Any) -> None:
        nonlocal calls
        calls += what == "call"

    sys.setprofile(see)
    try:
        for change in changes:
            index.apply(change)
        index.matching("order.created")
    finally:
        sys.setprofile(None)
    return calls


def test_the_same_or_an_older_version_changes_nothing() -> None:
    """A relay that crashed sends twice, and may send an older revision after a newer one."""
    index = WorkflowIndex()
    index.apply(revision(version=3))
    assert index.apply(revision(version=3, active=False)) is Applied.STALE
    assert index.apply(revision(version=2, active=False)) is Applied.STALE
    assert ids(index) == [workflow_id(0)]
    assert index.versions() == {workflow_id(0): 3}


def test_deactivation_and_deletion_end_the_matching() -> None:
    """What is not active is not matched, and its version is kept."""
    index = WorkflowIndex()
    index.apply(revision(0))
    index.apply(revision(1))
    assert index.apply(revision(0, 2, active=False)) is Applied.INACTIVE
    assert index.apply(revision(1, 2, deleted=True)) is Applied.DELETED
    assert ids(index) == []
    assert len(index) == 0
    assert index.versions() == {workflow_id(0): 2, workflow_id(1): 2}


def test_a_new_trigger_type_takes_the_workflow_out_of_the_old_one() -> None:
    """A workflow is under one type at a time."""
    index = WorkflowIndex()
    index.apply(revision(version=1))
    index.apply(revision(version=2, trigger={"type": "order.paid"}))
    assert ids(index) == []
    assert ids(index, "order.paid") == [workflow_id(0)]


def test_after_a_tombstone_nothing_older_comes_back() -> None:
    """A changelog read again from its start does not bring a deleted workflow back to life."""
    index = WorkflowIndex()
    index.apply(revision(version=4))
    assert index.apply(Tombstone(workflow_id(0))) is Applied.FORGOTTEN
    assert index.apply(revision(version=4)) is Applied.STALE
    assert ids(index) == []
    assert index.versions() == {}


def test_a_revision_that_does_not_compile_stops_itself_only() -> None:
    """It is reported and never matches; its older version does not run on, the others do."""
    index = WorkflowIndex()
    index.apply(revision(0))
    index.apply(revision(1))
    broken = revision(0, 2, conditions=[{"field": "a", "operator": "no such operator", "value": 1}])
    assert index.apply(broken) is Applied.BROKEN
    assert "conditions[0].operator" in index.broken[workflow_id(0)]
    assert ids(index) == [workflow_id(1)]
    assert index.apply(revision(0, 3)) is Applied.ACTIVE
    assert index.broken == {}


def test_a_trigger_that_cannot_be_judged_by_stops_itself_only() -> None:
    """SQL can store it; an event of its type would fail in the matcher, for everybody's workflows."""
    index = WorkflowIndex()
    index.apply(revision(1))
    for version, fields in enumerate((5, [{}], "plan", {"a": 1}), 1):
        trigger = Trigger(type="customer.updated", config={"fields": fields})
        assert index.apply(revision(0, version).model_copy(update={"trigger": trigger})) is Applied.BROKEN
        assert "fields must be a list" in index.broken[workflow_id(0)]
    assert ids(index) == [workflow_id(1)]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Revision], list[Revision]]:
    """Revisions of a few workflows, and the same ones shuffled with repeats."""
    numbers = st.tuples(
        st.integers(0, 3), st.booleans(), st.booleans(), st.sampled_from(["order.created", "order.paid"])
    )
    history = [
        revision(number, version, active=active, deleted=deleted, trigger={"type": event_type})
        for version, (number, active, deleted, event_type) in enumerate(draw(st.lists(numbers, max_size=12)), 1)
    ]
    repeats = draw(st.lists(st.sampled_from(history), max_size=6)) if history else []
    return history, draw(st.permutations(history + repeats))


@given(histories())
def test_any_order_of_arrival_ends_in_the_same_index(histories: tuple[list[Revision], list[Revision]]) -> None:
    """Repeats and reorderings of one history change nothing about its end."""
    in_order, shuffled = WorkflowIndex(), WorkflowIndex()
    for change in histories[0]:
        in_order.apply(change)
    for change in histories[1]:
        shuffled.apply(change)
    for event_type in ("order.created", "order.paid"):
        found, others = (
            [(w.version, w.priority, w.trigger_config, w.encoded) for w in index.matching(event_type)]
            for index in (in_order, shuffled)
        )
        assert found == others
    assert in_order.versions() == shuffled.versions()
