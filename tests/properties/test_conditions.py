"""Properties 9 to 12: what conditions mean, and that actions run by nothing else.

Each example goes through the evaluator and through the matcher, which starts an execution or logs why not.
"""

from fractions import Fraction
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domain.clock import utc_now
from app.domain.conditions import Scope, compile_conditions
from app.services.workflows.index import WorkflowIndex
from schemas.workflow import Revision
from tests.domain.condition_oracle import holds
from tests.domain.strategies import numbers, operand, texts
from tests.properties.engine import Engine, event
from tests.properties.examples import DATA, LEAVES, PROPERTY, VALUES, joined, storable
from tests.support.parts import whole
from tests.support.records import FakeRecord, event_record


def evaluated(conditions: list[dict[str, Any]], data: dict[str, Any]) -> bool:
    """Return whether conditions are met."""
    return compile_conditions(conditions).evaluate(Scope(data=data, event={}, now=utc_now())).met


async def started(engine: Engine, conditions: list[dict[str, Any]], data: dict[str, Any]) -> bool:
    """Return whether a workflow with these conditions starts for an event with these data."""
    index = WorkflowIndex()
    step = {"type": "apply_tag", "order": 1, "config": {"tag": "x"}}
    fields = {"id": UUID(int=1), "version": 1, "name": "w", "active": True, "trigger": {"type": "order.paid"}}
    fields |= {"conditions": conditions, "actions": [step], "owner": UUID(int=2), "updated_at": utc_now()}
    index.apply(Revision.model_validate(fields))
    sent: FakeRecord = event_record(**event("order.paid") | {"data": data})
    (record,) = await whole(engine.matcher(index).process([sent]))
    assert record.topic in {engine.topics.actions("apply_tag", "normal"), engine.topics.executions}
    return record.topic != engine.topics.executions


# Feature: automations-workflows, Property 9: AND Logic Correctness
@PROPERTY
@given(conditions=st.lists(LEAVES, min_size=1, max_size=4), data=DATA)
async def test_09_actions_run_only_if_all_conditions_joined_by_and_hold(
    engine: Engine, conditions: list[dict[str, Any]], data: dict[str, Any]
) -> None:
    """Each condition by itself is the independent oracle's; also one that holds beside those that do not."""
    sure = {"field": "sure", "operator": "==", "value": 1}
    data = {**data, "sure": 1}
    for listed in (conditions, [sure, *conditions], [sure, sure]):
        expected = all(holds(condition, data) for condition in listed)
        assert evaluated(joined(listed, "AND"), data) is expected
        assert await started(engine, joined(listed, "AND"), data) is expected


# Feature: automations-workflows, Property 10: OR Logic Correctness
@PROPERTY
@given(conditions=st.lists(LEAVES, min_size=1, max_size=4), data=DATA)
async def test_10_actions_run_if_one_of_the_conditions_joined_by_or_holds(
    engine: Engine, conditions: list[dict[str, Any]], data: dict[str, Any]
) -> None:
    """Each condition by itself is the independent oracle's; also one that holds beside those that do not."""
    sure = {"field": "sure", "operator": "==", "value": 1}
    data = {**data, "sure": 1}
    for listed in (conditions, [sure, *conditions], [*conditions, sure]):
        expected = any(holds(condition, data) for condition in listed)
        assert evaluated(joined(listed, "OR"), data) is expected
        assert await started(engine, joined(listed, "OR"), data) is expected


# Beyond 2**53 floats miss every second whole number: neighbours there tell exact comparison from another.
NUMBERS = numbers.filter(storable) | st.integers(2**53, 2**62)


# Feature: automations-workflows, Property 11: Numeric Operator Correctness
@PROPERTY
@given(left=NUMBERS, right=NUMBERS, near=st.sampled_from([-1, 0, 1]))
async def test_11_numbers_compare_as_numbers(engine: Engine, left: Any, right: Any, near: int) -> None:
    """All six operators, exactly, whole numbers and floats mixed; also with the number itself and its neighbours."""
    for value in (right, left, left + near):
        exact, other = Fraction(left), Fraction(value)
        truth = {
            ">": exact > other,
            "<": exact < other,
            ">=": exact >= other,
            "<=": exact <= other,
            "==": exact == other,
            "!=": exact != other,
        }
        for operator, expected in truth.items():
            condition = [{"field": "n", "operator": operator, "value": value}]
            assert evaluated(condition, {"n": left}) is expected, operator
    assert await started(engine, [{"field": "n", "operator": ">", "value": right}], {"n": left}) is (
        Fraction(left) > Fraction(right)
    )


# Feature: automations-workflows, Property 12: Array Operator Correctness
@PROPERTY
@given(members=st.lists(VALUES, max_size=4), value=VALUES, text=texts.filter(storable))
async def test_12_membership_decides_over_arrays(engine: Engine, members: list[Any], value: Any, text: str) -> None:
    """``contains`` and ``not_contains`` by membership, ``in`` and ``not_in`` by a shared element."""
    for wanted in (value, *members[:1], text):
        present = any(same(member, wanted) for member in members)
        data = {"tags": members, "one": wanted}
        for operator, field, given_value, expected in (
            ("contains", "tags", operand(wanted), present),
            ("not_contains", "tags", operand(wanted), not present),
            ("in", "tags", [operand(wanted)], present),
            ("not_in", "tags", [operand(wanted)], not present),
        ):
            condition = [{"field": field, "operator": operator, "value": given_value}]
            assert evaluated(condition, data) is expected, operator
    assert await started(engine, [{"field": "tags", "operator": "contains", "value": text}], {"tags": members}) is any(
        member == text for member in members
    )


def same(left: Any, right: Any) -> bool:
    """Equality of JSON: no bool is a number."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
