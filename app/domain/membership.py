"""The operators that look inside of values: ``contains``, ``in``, ``starts_with`` and ``ends_with``.

- ``contains``: the condition's value is a member of the field's array, or a substring of the field's string.
- ``in``: the condition's value is an array; a scalar field is one of it, an array field shares a member with it.
- ``starts_with``, ``ends_with``: the condition's value and the field are strings.

Members are equal as in JSON (see ``values.equal``): 1 is 1.0, but neither ``true`` nor "1", and times are just text.
Strings are case-sensitive.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from typing import Any, Final

from app.domain.reasons import Comparison, Outcome, mismatches
from app.domain.values import depth, equal, identity

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
