"""Conditions by example: every rule of docs/design.md#9-conditions, one claim a test."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.conditions import ConditionError, Evaluation, Scope, Verdict, compile_conditions

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def evaluate(conditions: list[dict[str, Any]], data: Any, **scope: Any) -> Evaluation:
    """Evaluate the list over the data."""
    return compile_conditions(conditions).evaluate(Scope(data, scope.pop("event", {}), NOW, **scope))


def judge(operator: str, actual: Any, value: Any) -> Verdict:
    """The verdict of one comparison with the field ``a``."""
    return evaluate([{"field": "a", "operator": operator, "value": value}], {"a": actual}).verdicts[0]


def test_the_example_of_the_specification() -> None:
    """An AND over a number and a tag."""
    conditions: list[dict[str, Any]] = [
        {"field": "order.total", "operator": ">", "value": 1000, "logic": "AND"},
        {"field": "customer.tags", "operator": "contains", "value": "VIP"},
    ]
    found = evaluate(conditions, {"order": {"total": 1500}, "customer": {"tags": ["VIP", "Premium"]}})
    assert found.met
    assert [verdict.as_json() for verdict in found.verdicts] == [
        {
            "path": "order.total",
            "operator": ">",
            "expected": 1000,
            "actual": 1500,
            "met": True,
            "reason": "compared as numbers",
        },
        {
            "path": "customer.tags",
            "operator": "contains",
            "expected": "VIP",
            "actual": ["VIP", "Premium"],
            "met": True,
            "reason": "looked up in the array",
        },
    ]


def test_no_conditions_are_met() -> None:
    """An empty list is met, with no verdicts."""
    assert evaluate([], {"any": "thing"}) == Evaluation(met=True, verdicts=[])


@pytest.mark.parametrize(
    ("operator", "actual", "value", "met"),
    [
        (">", 2**53 + 1, float(2**53), True),
        ("==", 2**53 + 1, float(2**53), False),
        ("==", 1, 1.0, True),
        ("==", True, 1, False),
        ("==", 1, True, False),
        (">", True, 0, False),
        ("<", 10**400, 1.5, False),
        (">", "b", "a", True),
        (">", "10", "9", False),
        (">", "Z", "a", False),
        (">", 5, "4", False),
        (">", float("nan"), 0, False),
        (">", float("inf"), 0, False),
        ("==", [1, {"a": [True]}], {"json": [1.0, {"a": [True]}]}, True),
        ("==", [1, {"a": [True]}], {"json": [1, {"a": [1]}]}, False),
        ("==", {"a": 1, "b": 2}, {"json": {"b": 2, "a": 1}}, True),
        ("==", None, None, True),
        ("!=", None, None, False),
        ("==", 0, None, False),
    ],
)
def test_comparing(operator: str, actual: Any, value: Any, met: bool) -> None:  # noqa: FBT001 - a table's column
    """Numbers compare exactly, strings by code points, a bool is no number, JSON deeply."""
    assert judge(operator, actual, value).met is met


@pytest.mark.parametrize(
    ("operator", "actual", "value", "met"),
    [
        ("==", "199.00", 199, True),
        ("==", "0.1", 0.1, True),
        (">", "0.1000000000000000000001", 0.1, True),
        ("==", "9007199254740993", 2**53, False),
        ("<", "-5", -4.5, True),
        ("==", "007", 7, True),
    ],
)
def test_a_decimal_in_a_string_is_read_as_that_number(
    operator: str,
    actual: str,
    value: float,
    met: bool,  # noqa: FBT001 - a table's column
) -> None:
    """Where the condition's value is a number, exactly, and the verdict says so."""
    verdict = judge(operator, actual, value)
    assert verdict.met is met
    assert verdict.reason == f'the text "{actual}" read as the number {actual}'


@pytest.mark.parametrize(
    "text", ["1e3", "+5", " 5", "5 ", "5\n", ".5", "5.", "1,000", "0x10", "\u0665", "NaN", "", "5_0"]
)
def test_what_is_no_decimal_literal_is_no_number(text: str) -> None:
    """Only digits, one dot and a minus sign make a decimal literal."""
    verdict = judge("<", text, 10**9)
    assert not verdict.met
    assert verdict.reason == "a string does not compare with a number"


def test_the_coercion_goes_one_way_only() -> None:
    """A condition's text is not read as a number, and members of arrays are not coerced."""
    assert not judge("==", 199, "199").met
    assert not judge("in", "199", [199]).met
    assert not judge("contains", ["199"], 199).met


@pytest.mark.parametrize(
    ("operator", "actual", "value", "met"),
    [
        ("<", "2026-03-01T23:00:00-02:00", "2026-03-02T00:30:00Z", False),
        ("==", "2026-03-01T02:00:00+02:00", "2026-03-01", True),
        ("!=", "2026-03-01T02:00:00+02:00", "2026-03-01", False),
        (">", "2026-03-01T10:00:00.5Z", "2026-03-01T10:00:00Z", True),
        (">", "soon", "2026-03-01", True),
        ("in", "2026-03-01", ["2026-03-01T00:00:00Z"], False),
    ],
)
def test_two_times_compare_as_instants(
    operator: str,
    actual: str,
    value: Any,
    met: bool,  # noqa: FBT001 - a table's column
) -> None:
    """Both must be times; else they are text. Inside of arrays they are text."""
    assert judge(operator, actual, value).met is met


@pytest.mark.parametrize(
    ("actual", "met"),
    [("2026-02-28T11:59:59Z", True), ("2026-02-28T12:00:00Z", False), ("yesterday", False), (5, False), (None, False)],
)
def test_a_relative_time_counts_from_the_scopes_now(actual: Any, met: bool) -> None:  # noqa: FBT001 - a table's column
    """{"now": "-1d"} is a day before the injected time, and the verdict names it."""
    verdict = judge("<", actual, {"now": "-1d"})
    assert verdict.met is met
    assert verdict.expected == {"now": "-1d"}
    if isinstance(actual, str) and actual.startswith("2026"):
        assert verdict.reason == "compared as times, with 2026-02-28T12:00:00Z"


SAMPA = {"timezone": "America/Sao_Paulo"}


@pytest.mark.parametrize(
    ("operator", "actual", "value", "met"),
    [
        # Now is 2026-03-01 12:00 in UTC, 09:00 in Sao Paulo.
        ("==", "2026-03-01", {"today": "0d"}, True),
        ("==", "2026-03-01T23:59:59Z", {"today": True}, True),
        ("==", "2026-03-02T00:00:00Z", {"today": "0d"}, False),
        ("==", "2026-03-02T02:59:59Z", {"today": "0d", **SAMPA}, True),
        ("==", "2026-03-02T03:00:00Z", {"today": "0d", **SAMPA}, False),
        ("==", "2026-03-02T03:00:00Z", {"today": "+1d", **SAMPA}, True),
        ("==", "2026-03-02T02:59:59", {"today": "+1d", **SAMPA}, True),
        ("==", "2026-03-04", {"today": "+3d", **SAMPA}, True),
        ("==", "2026-03-08T23:00-03:00", {"today": "1w", **SAMPA}, True),
        ("!=", "2026-03-08T23:00-03:00", {"today": "+1w", **SAMPA}, False),
        (">=", "2026-02-22T00:00Z", {"today": "-7d"}, True),
        (">=", "2026-02-21T23:59Z", {"today": "-7d"}, False),
        (">", "2026-03-01T23:59:59Z", {"today": "0d"}, False),
        ("<=", "2026-03-01T23:59:59Z", {"today": "0d"}, True),
        ("<", "2026-02-28T23:59:59Z", {"today": "0d"}, True),
        ("==", "0001-01-01T00:00+14:00", {"today": "0d", **SAMPA}, False),
        (">", "9999-12-31T23:59-14:00", {"today": "+36525d", "timezone": "Pacific/Kiritimati"}, True),
    ],
)
def test_days_are_compared_on_the_zones_calendar(
    operator: str,
    actual: str,
    value: Any,
    met: bool,  # noqa: FBT001 - a table's column
) -> None:
    """An instant is on its local day; a date, and a time without a zone, on the day that it says."""
    assert judge(operator, actual, value).met is met


@pytest.mark.parametrize(
    ("actual", "reason"),
    [
        ("2026-03-03T01:00Z", "compared as days, 2026-03-02 with 2026-03-04 in America/Sao_Paulo"),
        ("soon", "the text is no ISO 8601 time"),
        (1772357400, "a number does not compare with a day"),
        (None, "null does not compare with a day"),
    ],
)
def test_a_day_says_what_was_compared(actual: Any, reason: str) -> None:
    """Both days and the zone, or why there is none; the negative operator is the complement."""
    verdict = judge("==", actual, {"today": "+3d", **SAMPA})
    assert (verdict.met, verdict.reason, verdict.expected) == (False, reason, {"today": "+3d", **SAMPA})
    assert judge("!=", actual, {"today": "+3d", **SAMPA}).met


def test_the_last_seven_days_and_a_week_before() -> None:
    """Two conditions are a span of days; a day of the field minus a week is today plus one."""
    span = [{"field": "a", "operator": op, "value": {"today": day}} for op, day in ((">", "-7d"), ("<=", "0d"))]
    held = [evaluate(span, {"a": day}).met for day in ("2026-02-22", "2026-02-23", "2026-03-01", "2026-03-02")]
    assert held == [False, True, True, False]
    assert judge("==", "2026-03-08", {"today": "+1w"}).met


def test_an_object_is_compared_on_purpose() -> None:
    """{"json": …} is exactly that JSON, of whatever kind: no time, no number in a text, and null is not missing."""
    assert judge("==", {"a": 1}, {"json": {"a": 1.0}}).met
    assert judge("!=", {"a": 2}, {"json": {"a": 1}}).met
    assert judge("==", {"today": "0d"}, {"json": {"today": "0d"}}).met
    assert not judge("==", "5", {"json": 5}).met


@pytest.mark.parametrize(
    ("operator", "value", "actual"),
    [
        ("==", {"tomorrow": "1d"}, {"tomorrow": "1d"}),
        ("==", {"today": "3 days"}, {"today": "3 days"}),
        ("==", {"today": "0d", "timezone": "Sampa"}, {"today": "0d", "timezone": "Sampa"}),
        ("contains", {"a": 1}, [{"a": 1}]),
        ("in", [{"a": 1}, 5], [{"a": 1}]),
    ],
)
def test_what_was_saved_before_is_compared_as_it_was(operator: str, value: Any, actual: Any) -> None:
    """A revision with an object that is no operand still compiles; the verdict says what is wrong with it."""
    condition = {"field": "a", "operator": operator, "value": value}
    compiled = compile_conditions([condition], stored=True)
    for data, met in ((actual, True), ("2026-03-01", False)):
        (verdict,) = compiled.evaluate(Scope({"a": data}, {}, NOW)).verdicts
        assert verdict.met is met
        assert "no known operand" in verdict.reason


@pytest.mark.parametrize(
    ("operator", "value", "actual", "met"),
    [
        ("==", [{"sku": 1}], [{"sku": 1}], True),
        ("contains", [{"today": "0d"}], [[{"today": "0d"}]], True),
        ("in", [{"json": {"a": 1}}, [{"b": 2}]], {"c": 3}, False),
        ("in", [{"json": {"a": 1}}, [{"b": 2}]], [{"a": 1}], True),
        ("==", {"today": "0d", "timezone": "Factory"}, "2026-03-01", True),
        ("<", {"today": "+1d", "timezone": "Factory"}, "2026-03-01", True),
    ],
)
def test_what_was_saved_with_arrays_of_objects_or_no_zone_is_judged_as_it_was(
    operator: str, value: Any, actual: Any, *, met: bool
) -> None:
    """Both are refused on save now; a revision that has them holds as ever."""
    condition = {"field": "a", "operator": operator, "value": value}
    assert compile_conditions([condition], stored=True).evaluate(Scope({"a": actual}, {}, NOW)).met is met
    with pytest.raises(ConditionError):
        compile_conditions([condition])


@pytest.mark.parametrize(
    ("operator", "actual", "value", "met"),
    [
        ("contains", ["VIP", "Premium"], "VIP", True),
        ("contains", ["VIP"], "V", False),
        ("contains", [1, True], 1.0, True),
        ("contains", [True], 1, False),
        ("contains", [[1]], [1], True),
        ("contains", "a VIP", "VIP", True),
        ("contains", "a vip", "VIP", False),
        ("contains", "123", 2, False),
        ("contains", {"VIP": 1}, "VIP", False),
        ("in", "RJ", ["SP", "RJ"], True),
        ("in", 1, [True], False),
        ("in", None, [None], True),
        ("in", ["a", "b"], ["c", "b"], True),
        ("in", [], ["c"], False),
        ("in", {"a": 1}, [{"json": {"a": 1}}], False),
        ("in", [{"a": 1}], [{"json": {"a": 1.0}}], True),
        ("contains", [{"a": 1}], {"json": {"a": 1}}, True),
        ("contains", [{"json": {"a": 1}}], {"json": {"a": 1}}, False),
        ("starts_with", "Ação", "Aç", True),
        ("ends_with", "Ação", "ão", True),
        ("starts_with", ["a"], "a", False),
    ],
)
def test_membership(operator: str, actual: Any, value: Any, met: bool) -> None:  # noqa: FBT001 - a table's column
    """Membership in arrays, substrings in strings, and a shared element where both are arrays."""
    assert judge(operator, actual, value).met is met
    if operator in ("contains", "in"):
        assert judge(f"not_{operator}", actual, value).met is not met


@pytest.mark.parametrize(
    ("operator", "value", "met"),
    [
        (">", 1, False),
        ("==", 1, False),
        ("==", [], False),
        ("!=", 1, True),
        ("contains", "a", False),
        ("not_contains", "a", True),
        ("in", [None], False),
        ("not_in", [None], True),
        ("starts_with", "", False),
        ("==", {"now": "-1d"}, False),
        ("==", {"today": "0d"}, False),
        ("!=", {"today": "0d"}, True),
        ("==", {"json": None}, False),
    ],
)
def test_a_missing_field(operator: str, value: Any, met: bool) -> None:  # noqa: FBT001 - a table's column
    """Positive operators are false, negative ones true, and the verdict says that the field is missing."""
    verdict = evaluate([{"field": "gone", "operator": operator, "value": value}], {}).verdicts[0]
    assert (verdict.met, verdict.actual, verdict.reason) == (met, None, "the field is missing")


def test_equal_to_null_holds_for_missing() -> None:
    """``== null`` holds for null and for missing; ``!= null`` for neither."""
    for data in ({}, {"a": None}):
        assert evaluate([{"field": "a", "operator": "==", "value": None}], data).met
        assert not evaluate([{"field": "a", "operator": "!=", "value": None}], data).met


def test_fields_reach_the_envelope_and_the_results() -> None:
    """``event.*`` is the envelope; ``results.*`` the earlier steps, or plain data where there are none."""
    by_type = [{"field": "event.type", "operator": "==", "value": "order.paid"}]
    assert evaluate(by_type, {"event": {"type": "other"}}, event={"type": "order.paid"}).met
    by_result = [{"field": "results.0.status", "operator": "==", "value": "failed"}]
    assert evaluate(by_result, {}, results=[{"status": "failed"}]).met
    assert evaluate(by_result, {"results": [{"status": "failed"}]}).met
    assert not evaluate(by_result, {"results": [{"status": "failed"}]}, results=[]).met


def test_groups_have_verdicts_with_their_place() -> None:
    """Members come first, then their group; all of them, also where the outcome was clear."""
    yes = {"field": "a", "operator": "==", "value": 1}
    no = {"field": "a", "operator": "==", "value": 2}
    found = evaluate([yes | {"logic": "OR"}, {"any": [no, {"all": [yes, no]}]}, {"not": no}], {"a": 1})
    assert found.met
    assert [(v.at, v.operator, v.met) for v in found.verdicts] == [
        ("", "==", True),
        ("[1].any[0]", "==", False),
        ("[1].any[1].all[0]", "==", True),
        ("[1].any[1].all[1]", "==", False),
        ("[1].any[1]", "all", False),
        ("[1]", "any", False),
        ("[2].not", "==", False),
        ("[2]", "not", True),
    ]
    assert found.verdicts[5].reason == "0 of 2 hold"
