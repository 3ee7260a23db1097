"""Structural differences: applied to the one value they give the other, and they name what a person would."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.structural_diff import apply, difference, same

LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["", "a", "b", "\x00é"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["type", "field", "a", "b", ""]), inner, max_size=4)
    ),
    max_leaves=25,
)


def text(value: Any) -> str:
    """A value in a form where 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)


@given(before=VALUES, after=VALUES)
def test_what_is_applied_to_the_one_gives_the_other(before: Any, after: Any) -> None:
    """For any two JSON values; the first stays as it was."""
    was = text(before)
    assert text(apply(before, difference(before, after))) == text(after)
    assert text(before) == was


@given(value=VALUES)
def test_nothing_differs_from_itself(value: Any) -> None:
    """And what differs in a type alone does."""
    assert difference(value, json.loads(text(value))) == []
    assert not same(1, True)
    assert not same(1, 1.0)


def test_an_item_between_others_is_one_addition() -> None:
    """What stands behind it is not said to have changed."""
    steps = [{"type": "apply_tag", "config": {"tag": tag}} for tag in "abc"]
    (change,) = difference(steps, [steps[0], {"type": "delay", "config": {}}, *steps[1:]])
    assert (change.kind, change.place) == ("added", "[1]")


def test_a_changed_item_is_told_by_its_field() -> None:
    """Between two lists of different lengths what goes by the same name is compared with itself."""
    before = {"conditions": [{"field": "order.total", "value": 500}, {"field": "a", "value": 1}]}
    after = {"conditions": [{"field": "order.total", "value": 1000}]}
    changes = difference(before, after)
    assert [(one.kind, one.place, one.before, one.after) for one in changes] == [
        ("changed", "conditions[0].value", 500, 1000),
        ("removed", "conditions[1]", {"field": "a", "value": 1}, None),
    ]
