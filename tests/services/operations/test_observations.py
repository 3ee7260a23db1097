"""What conditions saw, in words, by what their real evaluation leaves in the log."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.comparisons import OPERATORS
from app.domain.conditions import ConditionError, Scope, compile_conditions
from app.services.operations.observations import observations
from tests.domain.strategies import json_values

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)


def seen(conditions: list[dict[str, Any]], data: Any) -> list[str]:
    """What decided, after the verdicts have been through the log."""
    evaluation = compile_conditions(conditions, stored=True).evaluate(Scope(data=data, event={}, now=NOW))
    verdicts = orjson.loads(orjson.dumps([verdict.as_json() for verdict in evaluation.verdicts]))
    return observations(verdicts, met=evaluation.met)


def leaf(operator: str, value: Any, field: str = "x") -> dict[str, Any]:
    """A condition."""
    return {"field": field, "operator": operator, "value": value}


def test_the_issues_own_words() -> None:
    """The value that was there, and how it stands to the one that was wanted."""
    condition = leaf(">", 1000, "order.total")
    assert seen([condition], {"order": {"total": 50}}) == ["order.total is 50, not more than 1,000"]


@pytest.mark.parametrize(
    ("operator", "value", "actual", "said"),
    [
        (">", 1000, 1200.5, "x is 1,200.5, more than 1,000"),
        (">", 1000, 1000.0, "x is 1,000, not more than 1,000"),
        ("<", 10, 3, "x is 3, less than 10"),
        ("<", 10, 30, "x is 30, not less than 10"),
        (">=", 10, 10, "x is 10, at least 10"),
        (">=", 10, 3, "x is 3, less than 10"),
        ("<=", 10, 3, "x is 3, at most 10"),
        ("<=", 10, 30, "x is 30, more than 10"),
        ("==", "paid", "paid", 'x is "paid", as it must be'),
        ("==", "paid", "open", 'x is "open", not "paid"'),
        ("!=", "paid", "open", 'x is "open", not "paid"'),
        ("!=", "paid", "paid", 'x is "paid", which it must not be'),
        ("==", True, False, "x is false, not true"),
        ("==", None, None, "x is null, as it must be"),
        ("contains", "vip", ["new", "vip"], 'x is "new" and "vip", which contains "vip"'),
        ("contains", "vip", [], 'x is an empty list, which does not contain "vip"'),
        ("not_contains", "vip", ["vip"], 'x is "vip", which contains "vip"'),
        ("not_contains", "vip", "none", 'x is "none", which does not contain "vip"'),
        ("in", ["DE", "AT"], "DE", 'x is "DE", one of "DE" or "AT"'),
        ("in", ["DE", "AT"], "FR", 'x is "FR", none of "DE" or "AT"'),
        ("in", ["DE"], ["DE", "FR"], 'x is "DE" and "FR", which shares a value with "DE"'),
        ("not_in", ["DE"], ["FR"], 'x is "FR", which shares no value with "DE"'),
        ("not_in", ["DE"], "DE", 'x is "DE", one of "DE"'),
        ("starts_with", "+49", "+4930", 'x is "+4930", which starts with "+49"'),
        ("ends_with", ".de", "a.com", 'x is "a.com", which does not end with ".de"'),
        (">", 100, "199.00", 'x is "199.00", more than 100 (the text read as a number)'),
        (">=", 100, "99.00", 'x is "99.00", less than 100 (the text read as a number)'),
    ],
)
def test_every_operator_has_its_words(operator: str, value: Any, actual: Any, said: str) -> None:
    """Where it holds and where it does not, negatives too."""
    assert seen([leaf(operator, value)], {"x": actual}) == [said]


@pytest.mark.parametrize(
    ("operator", "value", "said"),
    [
        (">", 1000, "x is missing, not more than 1,000"),
        (">=", 10, "x is missing, not at least 10"),
        ("!=", "paid", 'x is missing, not "paid"'),
        ("contains", "vip", 'x is missing, so it does not contain "vip"'),
        ("not_in", ["DE"], 'x is missing, none of "DE"'),
        ("==", None, "x is missing, which counts as null"),
        ("!=", None, "x is missing, which counts as null"),
        ("<", {"now": "-90d"}, "x is missing, not before 90 days ago"),
    ],
)
def test_a_missing_field_is_said_to_be_missing(operator: str, value: Any, said: str) -> None:
    """Not to be null, nor something that was compared."""
    assert seen([leaf(operator, value)], {}) == [said]


@pytest.mark.parametrize(
    ("operator", "value", "actual", "said"),
    [
        (">", 5, [], "x is an empty list, not more than 5 (an array does not compare with a number)"),
        ("<=", 5, "many", 'x is "many", not at most 5 (a string does not compare with a number)'),
        ("starts_with", "a", 7, 'x is 7, which does not start with "a" (a number does not compare with a string)'),
        ("<", {"now": "-1d"}, "soon", 'x is "soon", not before 1 day ago (the text is no ISO 8601 time)'),
    ],
)
def test_types_that_do_not_compare_are_named(operator: str, value: Any, actual: Any, said: str) -> None:
    """What is there is shown too."""
    assert seen([leaf(operator, value)], {"x": actual}) == [said]


@pytest.mark.parametrize(
    ("operator", "value", "said"),
    [
        ("<", {"now": "-90d"}, 'x is "2026-02-28", not before 2025-12-01T10:00:00Z (90 days ago)'),
        (">=", {"now": "-1w"}, 'x is "2026-02-28", at or after 2026-02-22T10:00:00Z (1 week ago)'),
        ("<=", {"now": "+2h"}, 'x is "2026-02-28", at or before 2026-03-01T12:00:00Z (in 2 hours)'),
        (">", {"now": "-0d"}, 'x is "2026-02-28", not after 2026-03-01T10:00:00Z (now)'),
        (">", "2026-02-27", 'x is "2026-02-28", after "2026-02-27"'),
        ("==", "2026-02-28T00:00Z", 'x is "2026-02-28", the same time as "2026-02-28T00:00Z"'),
    ],
)
def test_times_come_before_and_after(operator: str, value: Any, said: str) -> None:
    """A relative time is said with the moment that it was."""
    assert seen([leaf(operator, value)], {"x": "2026-02-28"}) == [said]


def test_of_groups_those_conditions_are_named_that_decided() -> None:
    """An alternative that held is no reason against, nor one that did not hold a reason for."""
    either = {"any": [leaf(">", 5), leaf(">", 500)]}
    assert seen([either, leaf("==", "DE", "land")], {"x": 50, "land": "FR"}) == ['land is "FR", not "DE"']
    assert seen([either], {"x": 50}) == ["x is 50, more than 5"]
    assert seen([either], {"x": 1}) == ["x is 1, not more than 5", "x is 1, not more than 500"]
    both = {"all": [leaf(">", 5), {"any": [leaf("<", 7), leaf("<", 9)]}]}
    assert seen([both], {"x": 50}) == ["x is 50, not less than 7", "x is 50, not less than 9"]


def test_a_negation_says_what_must_not_be() -> None:
    """Where it fails; where it holds, what was is enough. It may hold a list, and stand in itself."""
    negation = {"not": leaf(">", 5)}
    assert seen([negation], {"x": 9}) == ["x is 9, more than 5, which must not be so"]
    assert seen([negation], {"x": 1}) == ["x is 1, not more than 5"]
    assert seen([{"not": [leaf(">", 5), leaf("<", 10)]}], {"x": 9}) == [
        "x is 9, more than 5 and x is 9, less than 10, which must not be so"
    ]
    assert seen([{"not": {"any": [leaf(">", 5)]}}], {"x": 9}) == ["x is 9, more than 5, which must not be so"]
    assert seen([{"not": {"not": leaf(">", 5)}}], {"x": 9}) == ["x is 9, more than 5"]


def test_a_group_of_nothing_is_named_by_its_place() -> None:
    """There is no condition that could be."""
    assert seen([{"any": []}], {}) == ["of [0] any, 0 of 0 hold"]


def test_what_was_cut_for_the_log_says_so() -> None:
    """Long texts with their beginning, long arrays by their length."""
    (said,) = seen([leaf("==", "a")], {"x": "b" * 5000})
    assert said.startswith('x is "bbb')
    assert said.endswith('… (5,000 characters), not "a"')
    assert seen([leaf("contains", "a")], {"x": ["b" * 20] * 500}) == [
        'x is a long array (500 members), which does not contain "a"'
    ]


def test_nothing_in_a_value_acts_on_whoever_shows_it() -> None:
    """Line ends, terminal codes and text that runs backwards are escaped; markup stays the text that it is."""
    (said,) = seen([leaf("==", "a")], {"x": "1\n\x1b[31m\u202e\u2028<b>"})
    assert said == r'x is "1\n\u001b[31m\u202e\u2028<b>", not "a"'


@given(around=st.sampled_from(["all", "not"]), operator=st.sampled_from(OPERATORS), value=json_values, data=json_values)
def test_whatever_is_compared_is_said_in_short(around: str, operator: str, value: Any, data: Any) -> None:
    """Any JSON on either side: a text of bounded length without a character that is not printable."""
    try:
        (said,) = seen([{around: [leaf(operator, value)]}], {"x": data})
    except ConditionError:
        return  # the operator takes no such value
    assert said.isprintable()
    assert len(said) < 800


FIELDS = ("path", "expected", "actual", "met", "reason", "at")
stored = st.builds(
    lambda fields, operator: fields | operator,
    st.dictionaries(st.sampled_from(FIELDS), json_values),
    st.fixed_dictionaries({"operator": st.sampled_from([*OPERATORS, "all", "any", "not"]) | json_values}),
)


@given(verdicts=st.lists(stored, max_size=4), met=st.booleans())
def test_whatever_the_log_holds_is_said(verdicts: list[dict[str, Any]], *, met: bool) -> None:
    """A row may have been written by anybody: none of its verdicts' fields need be there, or of any type."""
    assert all(said.isprintable() for said in observations(verdicts, met=met))


@pytest.mark.parametrize(
    ("operator", "today", "actual", "said"),
    [
        ("==", "+3d", "2026-03-03T01:00Z", "not on 3 days after today in America/Sao_Paulo"),
        (">=", True, "2026-03-01T01:00Z", "before today in America/Sao_Paulo"),
        ("<=", "-1w", "2026-02-22", "on or before 1 week before today in America/Sao_Paulo"),
    ],
)
def test_days_are_named_as_they_fell(operator: str, today: Any, actual: str, said: str) -> None:
    """Beside the time that was there: the local day that it is on, and the day that it was compared with."""
    (text,) = seen([leaf(operator, {"today": today, "timezone": "America/Sao_Paulo"})], {"x": actual})
    assert text.startswith(f'x is "{actual}", {said} (compared as days, 2026-0')
