"""Conditions on JSON made to hurt: nothing raises, every one gets a verdict, nothing grows the log."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from app.domain.conditions import Scope, compile_conditions

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def nested(levels: int, make: Callable[[Any], Any]) -> Any:
    """A value inside of so many others."""
    value: Any = 1
    for _ in range(levels):
        value = make(value)
    return value


HOSTILE = {
    "digits": "9" * 300_000,
    "fraction": "0." + "1" * 300_000,
    "huge integer": 10**300_000,
    "deep arrays": nested(100_000, lambda inner: [inner]),
    "deep objects": nested(100_000, lambda inner: {"a": inner}),
    "surrogate": "\ud800" * 300,
    "controls": "\x00\x1f" * 500,
    "emoji": "😀" * 300,
    "quotes": '"\\' * 300,
    "wide": list(range(100_000)),
    "wide objects": [{} for _ in range(50_000)],
    "many keys": {str(key): key for key in range(50_000)},
    "long key": {"k" * 300_000: 1},
    "surrogate key": {"\udfff": 1},
    "NaN": [float("nan"), float("inf")],
    "spaces": " " * 300_000,
    "dashes": "2026-" * 60_000,
}
CONDITIONS = [
    {"field": "a", "operator": operator, "value": value}
    for operator, values in {
        ">": (1, 0.1, "a", "2026-03-01", {"now": "-1d"}, {"today": "-1d", "timezone": "Asia/Kathmandu"}, 10**4000 - 1),
        "==": (
            1,
            "a",
            None,
            True,
            [1],
            {"json": {"a": 1}},
            {"today": True},
            nested(20, lambda inner: [inner]),
            {"now": "-1d"},
        ),
        "contains": (1, "a", None, [1], {"json": {"a": 1}}),
        "in": ([1, "a", None, [1]], list(range(1_000)), [nested(18, lambda inner: [inner])], []),
        "starts_with": ("a",),
        "ends_with": ("a",),
    }.items()
    for value in values
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(30)
def test_hostile_values_get_a_verdict_each_and_are_logged_briefly(name: str) -> None:
    """Every operator comes to a verdict with a reason on a hostile value, which is cut to small valid JSON."""
    found = compile_conditions(CONDITIONS).evaluate(Scope({"a": HOSTILE[name]}, {}, NOW))
    assert [verdict.operator for verdict in found.verdicts] == [condition["operator"] for condition in CONDITIONS]
    for verdict in found.verdicts:
        assert name == "surrogate" or verdict.actual["cut"] is True
        assert len(orjson.dumps(verdict.actual)) <= 1024
        assert 0 < len(verdict.reason) < 200


def test_a_cut_value_says_what_it_was() -> None:
    """The mark gives the type, the length and the start of a text."""
    data = {"a": "x" * 5_000, "b": list(range(1_000)), "c": 10**30}
    conditions = [{"field": field, "operator": "==", "value": 1} for field in data]
    shown = [v.actual for v in compile_conditions(conditions).evaluate(Scope(data, {}, NOW)).verdicts]
    assert shown == [
        {"cut": True, "type": "string", "length": 5_000, "start": "x" * 128 + "…"},
        {"cut": True, "type": "array", "length": 1_000},
        "1" + "0" * 30,
    ]


@pytest.mark.parametrize("size", [1_000, 1_022, 1_023, 1_024, 1_025])
@pytest.mark.parametrize("character", ["x", "é", "😀", '"', "\x01"])
def test_the_bound_is_exactly_a_kibibyte_of_json(size: int, character: str) -> None:
    """What fits is kept whole, what does not is cut."""
    text = (character * size)[:size]
    for value in (text, [text], {"k": text}):
        compiled = compile_conditions([{"field": "a", "operator": "==", "value": None}])
        shown = compiled.evaluate(Scope({"a": value}, {}, NOW)).verdicts[0].actual
        assert len(orjson.dumps(shown)) <= 1024
        if len(orjson.dumps(value)) <= 1_000:
            assert shown == value
