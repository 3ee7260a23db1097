"""The operators of conditions: how one field's value compares with the condition's value.

Each operator is compiled once for its value, into a function of the field's value that says whether the *positive*
form holds and why; a negative operator (``!=``, ``not_contains``, ``not_in``) is its exact complement. The functions
raise on no JSON.

- ``> < >= <= == !=`` Number with number, exactly. String with string, by code points; but if both are times (see
  ``times``) as instants, for ``==`` too, so that ``>=`` always means ``>`` or ``==``. If the condition's value is a
  number, a field that is a decimal literal in a string is read as that number: the one coercion, and the reason
  says so. A relative time ``{"now": "-90d"}`` compares with a field that is a time, a day ``{"today": "+3d"}`` with one
  that is a time or a date (see ``calendar_days``). Different types never compare.
- ``== null`` holds for null and for a missing field. Arrays are equal if their members are, and so are objects, which
  ``{"json": {...}}`` compares with on purpose (see ``operands``).
- ``contains``: the condition's value is a member of the field's array, or a substring of the field's string.
- ``in``: the condition's value is an array; a scalar field is one of it, an array field shares a member with it.
- ``starts_with``, ``ends_with``: the condition's value and the field are strings.

Members are equal as in JSON (see ``values.equal``): 1 is 1.0, but neither ``true`` nor "1", and times are just text.
Strings are case-sensitive.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from typing import Any, Final

from app.domain.calendar_days import compile_day
from app.domain.operands import KNOWN, OperandError, as_before, literal, literals, without_objects
from app.domain.paths import MISSING
from app.domain.reasons import MISSING_FIELD, Comparison, Outcome, mismatches
from app.domain.times import format_time, instant, parse_relative, parse_time
from app.domain.values import as_decimal, check_json, depth, equal, identity, is_number, read_decimal

MAX_IN_VALUES: Final = 1_000


_AS_MEMBER: Final = "looked up in the array"


_AS_SUBSTRING: Final = "looked up in the text"


def _contains(value: Any) -> Comparison:
    mismatch = mismatches("what can contain a value")
    text = isinstance(value, str)

    def compare(actual: Any, _now: datetime) -> Outcome:
        if isinstance(actual, list):
            # What is equal as in JSON is so in Python, whose own membership test is a hundred times faster; for strings
            # it is the same, else `true` is 1 in it.
            found = value in actual
            return found and (text or any(equal(member, value) for member in actual)), _AS_MEMBER
        if isinstance(actual, str):
            if text:
                return value in actual, _AS_SUBSTRING
            return False, "a string contains strings only"
        return False, mismatch(actual)

    return compare


def _in(value: Any) -> Comparison:
    if not isinstance(value, list):
        raise ValueError("must be an array for in and not_in")  # noqa: TRY004 - what a caller gave, not a wrong call
    if len(value) > MAX_IN_VALUES:
        raise ValueError(f"must hold at most {MAX_IN_VALUES} values")
    # What nests deeper than every value of the condition equals none of them, so it need not be looked at.
    deepest = max(depth(member, 20) for member in value) if value else 0
    members = frozenset(identity(member, deepest) for member in value)
    mismatch = mismatches("the values of an array")

    def one(item: Any) -> Hashable:
        # Most members are such as stand for themselves.
        return item if type(item) is str or type(item) is int else identity(item, deepest)

    def compare(actual: Any, _now: datetime) -> Outcome:
        if isinstance(actual, list):
            return any(one(item) in members for item in actual), "each member looked up in the values"
        if isinstance(actual, (str, int, float)) or actual is None:
            return identity(actual, 0) in members, "looked up in the values"
        return False, mismatch(actual)

    return compare


def _affix(name: str, test: Callable[[str, str], bool]) -> Callable[[Any], Comparison]:
    mismatch = mismatches("a string")

    def compile_affix(value: Any) -> Comparison:
        if not isinstance(value, str):
            raise ValueError(f"must be a string for {name}")  # noqa: TRY004 - what a caller gave, not a wrong call

        def compare(actual: Any, _now: datetime) -> Outcome:
            if not isinstance(actual, str):
                return False, mismatch(actual)
            return test(actual, value), "compared as strings"

        return compare

    return compile_affix


MEMBERSHIP: Final[Mapping[str, Callable[[Any], Comparison]]] = {
    "contains": _contains,
    "in": _in,
    "starts_with": _affix("starts_with", str.startswith),
    "ends_with": _affix("ends_with", str.endswith),
}

MAX_VALUE_DEPTH: Final = 20
NEGATIVES: Final[Mapping[str, str]] = {"!=": "==", "not_contains": "contains", "not_in": "in"}
_MAX_SHOWN_LITERAL: Final = 40

_AS_NUMBERS: Final = "compared as numbers"
_AS_STRINGS: Final = "compared as strings"
_AS_TIMES: Final = "compared as times"

_Relation = Callable[[Any, Any], bool]
_RELATIONS: Final[Mapping[str, _Relation]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
}
_ORDERS: Final = (">", "<", ">=", "<=")
OPERATORS: Final[tuple[str, ...]] = (*_RELATIONS, *MEMBERSHIP, *NEGATIVES)


def compile_comparison(name: str, value: Any, *, stored: bool = False) -> Comparison:
    """Compile a positive operator for its value.

    Args:
        name: ``> < >= <= == contains in starts_with ends_with``.
        value: The condition's value: JSON of at most 20 levels.
        stored: It was saved, maybe before objects had to be operands, also those within arrays: an object that is no
            operand is compared as it stands.

    Raises:
        ValueError: The operator can't use the value; the message says what it takes.
    """
    check_json(value, MAX_VALUE_DEPTH)
    try:
        return _compile(name, value, stored=stored)
    except OperandError:
        if not stored or name in _ORDERS:
            raise
        return as_before(MEMBERSHIP[name](value) if name in MEMBERSHIP else _equal_to(value))


def _compile(name: str, value: Any, *, stored: bool) -> Comparison:
    if name == "contains":
        return MEMBERSHIP[name](literal(value, stored=stored))
    if name in MEMBERSHIP:
        return MEMBERSHIP[name](literals(value, stored=stored))
    if isinstance(value, dict):
        return _with_operand(name, _RELATIONS[name], value, stored=stored)
    return _compile_relation(name, _RELATIONS[name], value if stored else without_objects(value))


def _with_operand(name: str, relation: _Relation, value: dict[str, Any], *, stored: bool) -> Comparison:
    if value.keys() == {"now"}:
        if not isinstance(value["now"], str):
            raise OperandError('must be a relative time such as {"now": "-90d"}')
        return _with_relative_time(relation, parse_relative(value["now"]))
    if "today" in value:
        try:
            return compile_day(relation, value, stored=stored)
        except ValueError as error:
            raise OperandError(str(error)) from None
    if value.keys() == {"json"} and name not in _ORDERS:
        return _equal_to(value["json"])
    raise OperandError(f"is an object that {name} has no meaning for; {KNOWN}")


def _compile_relation(name: str, relation: _Relation, value: Any) -> Comparison:
    if is_number(value):
        return _with_number(relation, value)
    if isinstance(value, str):
        return _with_string(relation, value)
    if name in _ORDERS:
        raise ValueError(f'must be a number, a string, {{"now": "-90d"}} or {{"today": "+3d"}} for {name}')
    return _equal_null if value is None else _equal_to(value)


def _with_number(relation: _Relation, value: float) -> Comparison:
    as_read = as_decimal(value)
    mismatch = mismatches("a number")

    def compare(actual: Any, _now: datetime) -> Outcome:
        if is_number(actual):
            return relation(actual, value), _AS_NUMBERS
        if isinstance(actual, str):
            read = read_decimal(actual)
            if read is not None:
                return relation(read, as_read), _read_reason(actual)
        return False, mismatch(actual)

    return compare


def _read_reason(literal: str) -> str:
    text = literal if len(literal) <= _MAX_SHOWN_LITERAL else literal[:_MAX_SHOWN_LITERAL] + "…"
    return f'the text "{text}" read as the number {text}'


def _with_string(relation: _Relation, value: str) -> Comparison:
    time = parse_time(value)
    mismatch = mismatches("a string")

    def compare(actual: Any, _now: datetime) -> Outcome:
        if not isinstance(actual, str):
            return False, mismatch(actual)
        actual_time = parse_time(actual) if time is not None else None
        if actual_time is not None:
            return relation(actual_time, time), _AS_TIMES
        return relation(actual, value), _AS_STRINGS

    return compare


def _with_relative_time(relation: _Relation, distance: int) -> Comparison:
    mismatch = mismatches("a time")

    def compare(actual: Any, now: datetime) -> Outcome:
        if not isinstance(actual, str):
            return False, mismatch(actual)
        time = parse_time(actual)
        if time is None:
            return False, "the text is no ISO 8601 time"
        point = instant(now) + distance
        return relation(time, point), f"{_AS_TIMES}, with {format_time(point)}"

    return compare


def _equal_null(actual: Any, _now: datetime) -> Outcome:
    if actual is MISSING:
        return True, f"{MISSING_FIELD}, which counts as null"
    return actual is None, "compared with null"


def _equal_to(value: Any) -> Comparison:
    def compare(actual: Any, _now: datetime) -> Outcome:
        return equal(actual, value), MISSING_FIELD if actual is MISSING else "compared as JSON"

    return compare
