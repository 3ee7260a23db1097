"""What is wrong with conditions is refused when they are compiled, with the path to it."""

import contextlib
from typing import Any

import pytest
from hypothesis import given

from app.domain.conditions import ConditionError, Scope, compile_conditions
from app.domain.times import EPOCH
from tests.domain.strategies import json_values

GOOD = {"field": "a", "operator": "==", "value": 1}


def deep(levels: int) -> dict[str, Any]:
    """A condition inside of so many groups."""
    item: dict[str, Any] = GOOD
    for _ in range(levels):
        item = {"all": [item]}
    return item


@pytest.mark.parametrize(
    ("conditions", "path", "message"),
    [
        ({}, "conditions", "list"),
        ("ab", "conditions", "list"),
        ([1], "conditions[0]", "object"),
        ([GOOD, {"operator": "==", "value": 1}], "conditions[1].field", "missing"),
        ([{"field": "a", "value": 1}], "conditions[0].operator", "missing"),
        ([{"field": "a", "operator": "=="}], "conditions[0].value", "missing"),
        ([GOOD | {"note": 1}], "conditions[0].note", "no part"),
        ([GOOD | {"field": 1}], "conditions[0].field", "dotted path"),
        ([GOOD | {"field": "a..b"}], "conditions[0].field", "dots"),
        ([GOOD | {"operator": "=~"}], "conditions[0].operator", "one of"),
        ([GOOD | {"operator": ["=="]}], "conditions[0].operator", "one of"),
        ([GOOD | {"logic": "XOR"}], "conditions[0].logic", "AND or OR"),
        ([GOOD | {"logic": ["OR"]}], "conditions[0].logic", "AND or OR"),
        ([GOOD | {"operator": ">", "value": None}], "conditions[0].value", "number"),
        ([GOOD | {"operator": ">", "value": True}], "conditions[0].value", "number"),
        ([GOOD | {"operator": ">", "value": {"now": "90"}}], "conditions[0].value", "-90d"),
        ([GOOD | {"operator": ">", "value": {"now": 90}}], "conditions[0].value", "-90d"),
        ([GOOD | {"value": {"today": 3}}], "conditions[0].value", "today must be an offset such as +3d"),
        ([GOOD | {"value": {"today": ""}}], "conditions[0].value", "or true"),
        ([GOOD | {"value": {"today": False}}], "conditions[0].value", "or true"),
        ([GOOD | {"operator": ">", "value": {"today": "+3h"}}], "conditions[0].value", "units d, w"),
        ([GOOD | {"value": {"today": "0d", "timezone": "Sampa"}}], "conditions[0].value", "timezone must be an IANA"),
        ([GOOD | {"value": {"today": "0d", "timezone": None}}], "conditions[0].value", "timezone must be an IANA"),
        ([GOOD | {"value": {"today": "0d", "zone": "UTC"}}], "conditions[0].value", "nothing else"),
        ([GOOD | {"value": {"tomorrow": "1d"}}], "conditions[0].value", 'known are {"now"'),
        ([GOOD | {"value": {}}], "conditions[0].value", '{"json"'),
        ([GOOD | {"operator": "!=", "value": {"json": 1, "now": "-1d"}}], "conditions[0].value", "known are"),
        ([GOOD | {"operator": "<=", "value": {"json": {}}}], "conditions[0].value", "<= has no meaning for"),
        ([GOOD | {"operator": "contains", "value": {"today": "0d"}}], "conditions[0].value", '{"json"'),
        ([GOOD | {"operator": "not_in", "value": [1, {"now": "-1d"}]}], "conditions[0].value[1]", '{"json"'),
        ([GOOD | {"operator": "in", "value": [[{"a": 1}]]}], "conditions[0].value[0][0]", "around the whole member"),
        ([GOOD | {"value": [{"today": "0d"}]}], "conditions[0].value[0]", 'known are {"now"'),
        ([GOOD | {"value": [1, [2, [{"sku": 1}]]]}], "conditions[0].value[1][1][0]", '{"json": ...} around the whole'),
        ([GOOD | {"operator": "!=", "value": [{"json": 1}]}], "conditions[0].value[0]", "around the whole value"),
        ([GOOD | {"operator": "contains", "value": [{"today": "0d"}]}], "conditions[0].value[0]", "no object"),
        ([GOOD | {"operator": "not_contains", "value": [[{}]]}], "conditions[0].value[0][0]", "no object"),
        (
            [GOOD | {"value": {"today": "0d", "timezone": "localtime"}}],
            "conditions[0].value",
            "timezone must be an IANA",
        ),
        ([{"any": [GOOD | {"value": {"a": 1}}]}], "conditions[0].any[0].value", "known are"),
        ([GOOD | {"operator": "in", "value": "abc"}], "conditions[0].value", "array"),
        ([GOOD | {"operator": "in", "value": [0] * 1_001}], "conditions[0].value", "1000"),
        ([GOOD | {"operator": "ends_with", "value": 1}], "conditions[0].value", "string"),
        ([GOOD | {"value": float("nan")}], "conditions[0].value", "finite"),
        ([GOOD | {"value": [float("inf")]}], "conditions[0].value", "finite"),
        ([GOOD | {"value": 10**5_000}], "conditions[0].value", "digits"),
        ([GOOD | {"value": object()}], "conditions[0].value", "JSON"),
        ([GOOD | {"value": [[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]}], "conditions[0].value", "20 levels"),
        ([{"all": [GOOD], "any": [GOOD]}], "conditions[0]", "one group"),
        ([{"any": []}], "conditions[0].any", "must hold at least one condition"),
        ([GOOD, {"all": [{"not": []}]}], "conditions[1].all[0].not", "must hold at least one condition"),
        ([{"all": [GOOD], "field": "a"}], "conditions[0]", "one group"),
        ([{"all": GOOD}], "conditions[0].all", "list"),
        ([GOOD, GOOD, {"all": [GOOD | {"operator": ">>"}]}], "conditions[2].all[0].operator", "one of"),
        ([{"all": [GOOD | {"logic": "OR"}]}], "conditions[0].all[0].logic", "AND"),
        ([{"not": [GOOD, 5]}], "conditions[0].not[1]", "object"),
        ([{"not": {"any": [5]}}], "conditions[0].not.any[0]", "object"),
        ([GOOD] * 101, "conditions", "at most 100"),
        ([deep(11)], "conditions[0]" + ".all[0]" * 10, "10 deep"),
        ([deep(100_000)], "conditions[0]" + ".all[0]" * 10, "10 deep"),
    ],
)
def test_what_is_wrong_is_refused_with_its_path(conditions: Any, path: str, message: str) -> None:
    """The error names the exact place and what would be right there."""
    with pytest.raises(ConditionError) as caught:
        compile_conditions(conditions)
    assert caught.value.path == path
    assert message in caught.value.message


@pytest.mark.parametrize("value", [{"a": 1}, {"now": 5}, {"today": "soon"}])
def test_what_was_never_saved_is_refused_of_stored_conditions_too(value: Any) -> None:
    """An order never took another object, so no revision has one."""
    with pytest.raises(ConditionError):
        compile_conditions([GOOD | {"operator": ">", "value": value}], stored=True)


def test_the_list_is_named_by_the_caller() -> None:
    """An action's own conditions have a longer path."""
    with pytest.raises(ConditionError) as caught:
        compile_conditions([1], at="actions[3].conditions")  # type: ignore[list-item] # what is refused
    assert caught.value.path == "actions[3].conditions[0]"


def test_the_limits_themselves_are_allowed() -> None:
    """Ten levels and a hundred conditions compile."""
    compile_conditions([deep(10)])
    compile_conditions([GOOD] * 100)


@given(json_values)
def test_arbitrary_json_compiles_or_is_refused(value: Any) -> None:
    """No JSON makes the compiler raise anything but its own error."""
    for conditions in (value, [value], [GOOD | {"value": value}], [GOOD | {"operator": value}], [{"any": value}]):
        with contextlib.suppress(ConditionError):
            compile_conditions(conditions)


def test_an_empty_group_that_was_saved_is_judged_as_it_was() -> None:
    """Any of none does not hold, all of none and not all of none do and do not."""
    found = compile_conditions([{"any": []}, {"all": []}, {"not": []}], stored=True).evaluate(Scope({}, {}, EPOCH))
    assert [verdict.met for verdict in found.verdicts] == [False, True, False]
