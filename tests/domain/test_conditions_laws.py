"""Laws of the condition evaluator over arbitrary JSON, judged by an independent oracle."""

from datetime import timedelta, timezone
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from app.domain.conditions import ConditionError, Scope, compile_conditions
from tests.domain import condition_oracle as oracle
from tests.domain.condition_oracle import NOW
from tests.domain.strategies import days, json_values, leaves, operand

COMPLEMENTS = (("==", "!="), ("contains", "not_contains"), ("in", "not_in"))

logics = st.sampled_from(["AND", "OR", None])


def with_logic(item: dict[str, Any], logic: str | None) -> dict[str, Any]:
    """The item, joined to the next."""
    return item if logic is None else {**item, "logic": logic}


def lists_of(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Lists of conditions, each with some logic or none."""
    return st.lists(st.builds(with_logic, items, logics), max_size=4)


trees = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.builds(lambda items: {"all": items}, st.lists(inner, max_size=3)),
        st.builds(lambda items: {"any": items}, st.lists(inner, max_size=3)),
        st.builds(lambda item: {"not": item}, inner),
        st.builds(lambda items: {"not": items}, lists_of(inner)),
    ),
    max_leaves=6,
)


def evaluate(conditions: list[dict[str, Any]], data: Any, *, stored: bool = False) -> bool:
    """Whether the app says that the list is met."""
    return compile_conditions(conditions, stored=stored).evaluate(Scope(data, {}, NOW)).met


@given(leaf=leaves(), data=json_values)
def test_one_condition_agrees_with_the_oracle(leaf: dict[str, Any], data: Any) -> None:
    """Every operator means what docs/design.md#9-conditions says, on any JSON."""
    leaf["field"] = leaf["field"].replace("b", "a")
    for shape in (data, {"a": data}):
        assert evaluate([leaf], shape) == oracle.holds(leaf, shape)
    near = {**leaf, "field": "a"}
    same = {"a": oracle.meant(leaf["value"])}
    assert evaluate([near], same) == oracle.holds(near, same)


@given(
    operator=st.sampled_from([">", "<", ">=", "<=", "==", "!="]),
    value=days,
    minutes=st.integers(-14 * 1440, 14 * 1440),
    shift=st.integers(-14 * 4, 14 * 4),
    form=st.sampled_from(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M%z"]),
)
def test_days_near_today_agree_with_the_oracle(
    operator: str, value: dict[str, Any], minutes: int, shift: int, form: str
) -> None:
    """Dates and times of any zone, by local days of the operand's."""
    written_in = timezone(timedelta(minutes=15 * shift))
    actual = (NOW + timedelta(minutes=minutes)).astimezone(written_in).strftime(form)
    leaf = {"field": "a", "operator": operator, "value": value}
    assert evaluate([leaf], {"a": actual}) == oracle.holds(leaf, {"a": actual})


@given(value=json_values, data=json_values, pair=st.sampled_from([("==", "!="), ("contains", "not_contains")]))
def test_what_was_saved_with_any_object_is_judged_as_it_was(value: Any, data: Any, pair: tuple[str, str]) -> None:
    """Before objects had to be operands they were compared as they stand; what is stored still is."""
    for actual in (data, value, [value, data]):
        held = []
        for operator in pair:
            leaf = {"field": "a", "operator": operator, "value": value}
            held.append(evaluate([leaf], {"a": actual}, stored=True))
            assert held[-1] == oracle.holds(leaf, {"a": actual})
        assert sorted(held) == [False, True]


@given(operator=st.sampled_from([">", "<", ">=", "<=", "==", "!="]), data=st.data())
def test_comparisons_of_near_values_agree_with_the_oracle(operator: str, data: st.DataObject) -> None:
    """Numbers, decimals in strings and times compare exactly, also where they lie close together."""
    number = data.draw(st.one_of(st.integers(2**53 - 3, 2**53 + 3), st.sampled_from([0.1, 0.3, 199.9, 1e16, 5])))
    actual = data.draw(
        st.one_of(
            st.sampled_from([number, str(number), f"{number}0", float(number), int(number), number + 1, repr(number)]),
            st.floats(allow_nan=False, allow_infinity=False),
        )
    )
    leaf = {"field": "a", "operator": operator, "value": number}
    assert evaluate([leaf], {"a": actual}) == oracle.holds(leaf, {"a": actual})


@given(conditions=lists_of(trees), data=json_values)
def test_and_binds_tighter_than_or_and_groups_nest(conditions: list[dict[str, Any]], data: Any) -> None:
    """A condition list is the boolean expression that it reads as, with groups of none in it, as they may be stored."""
    assert evaluate(conditions, {"a": data}, stored=True) == oracle.met(conditions, {"a": data})


@given(value=json_values, data=json_values, pair=st.sampled_from(COMPLEMENTS))
def test_a_negative_operator_is_the_exact_complement(value: Any, data: Any, pair: tuple[str, str]) -> None:
    """Of a positive and its negative exactly one holds, whatever the types, missing fields included."""
    value = [operand(value)] if pair[0] == "in" else operand(value)
    for field in ("a", "nowhere"):
        held = [evaluate([{"field": field, "operator": operator, "value": value}], {"a": data}) for operator in pair]
        assert sorted(held) == [False, True]


@given(
    left=json_values, right=st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), days)
)
def test_order_is_consistent(left: Any, right: Any) -> None:
    """>= is > or ==, <= is < or ==, and no two of <, ==, > hold at once."""
    held = {
        operator: evaluate([{"field": "a", "operator": operator, "value": right}], {"a": left})
        for operator in ("<", "<=", "==", ">=", ">")
    }
    assert held[">="] == (held[">"] or held["=="])
    assert held["<="] == (held["<"] or held["=="])
    assert held["<"] + held["=="] + held[">"] <= 1


@given(conditions=lists_of(trees))
def test_groups_of_none_alone_are_refused(conditions: list[dict[str, Any]]) -> None:
    """On save; every other tree of good conditions compiles."""

    def empty(item: Any) -> bool:
        for name in item.keys() & {"all", "any", "not"}:
            inner = [item[name]] if isinstance(item[name], dict) else item[name]
            return not inner or any(map(empty, inner))
        return False

    try:
        compile_conditions(conditions)
    except ConditionError:
        refused = True
    else:
        refused = False
    assert refused == any(map(empty, conditions))


@given(conditions=lists_of(trees), data=json_values)
def test_every_condition_has_a_bounded_verdict(conditions: list[dict[str, Any]], data: Any) -> None:
    """Nothing is cut short: one verdict for each condition and group, each value at most 1 KiB of valid JSON."""

    def count(item: Any) -> int:
        if isinstance(item, list):
            return sum(map(count, item))
        inner = item.get("all", item.get("any", item.get("not", [])))
        return 1 + count(inner)

    verdicts = compile_conditions(conditions, stored=True).evaluate(Scope({"a": data}, {}, NOW)).verdicts
    assert len(verdicts) == count(conditions)
    for verdict in verdicts:
        assert verdict.reason
        whole = verdict.as_json()
        assert len(orjson.dumps(whole["actual"])) <= 1024
        assert len(orjson.dumps(whole["expected"])) <= 1024
