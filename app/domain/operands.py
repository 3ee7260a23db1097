"""Operands: what an object means as the value of a condition.

``{"now": …}`` is a time, ``{"today": …}`` a day, ``{"json": …}`` exactly that JSON. Any other object is refused:
it is a mistake in one of the first two more often than it is meant, and compared as an object it would never hold.
So is an object anywhere within an array, which ``{"json": [...]}`` around the whole value compares with on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.domain.reasons import Comparison, Outcome

KNOWN: Final = 'known are {"now": "-90d"}, {"today": "+3d", "timezone": "America/Sao_Paulo"} and {"json": any JSON}'
_AS_BEFORE: Final = 'the value is no known operand, so it stands for itself, which {"json": ...} would say'


class OperandError(ValueError):
    """An object that is no operand; workflows were saved with such once.

    Attributes:
        at: Where in the value, such as ``[1][0]``; empty where it is the value itself.
    """

    def __init__(self, message: str, at: str = "") -> None:
        super().__init__(message)
        self.at = at


def literal(value: Any, at: str = "", *, stored: bool = False) -> Any:
    """Return what a value stands for where members of arrays are compared; there is no time and no day.

    Args:
        value: The condition's, or a member of it.
        at: Which member, such as ``[1]``.
        stored: It was saved, maybe with objects in its arrays: they are as they stand.

    Raises:
        OperandError: It is an object other than ``{"json": …}``, or an array with an object in it.
    """
    if not isinstance(value, Mapping):
        return value if stored else without_objects(value, at)
    if value.keys() != {"json"}:
        raise OperandError('must be no object; {"json": ...} compares with an object itself', at)
    return value["json"]


def literals(value: Any, *, stored: bool = False) -> Any:
    """Return an array with what each member stands for; errors as in ``literal``."""
    if not isinstance(value, list):
        return value
    return [literal(member, f"[{index}]", stored=stored) for index, member in enumerate(value)]


def without_objects(value: Any, at: str = "") -> Any:
    """Return a value that is no object, once no object is found at any depth of it.

    Args:
        value: A value of at most as many levels as a condition's value has.
        at: Which member of a list of values it is, such as ``[1]``; empty where it is the whole.

    Raises:
        OperandError: There is one; says where.
    """
    found = _object_in(value)
    if found is not None:
        whole = "member" if at else "value"
        raise OperandError(
            f'must be no object, as it is within an array: {{"json": ...}} around the whole {whole} compares with the '
            f"array as it stands; {KNOWN}",
            at + found,
        )
    return value


def _object_in(value: Any) -> str | None:
    """Return where the first object is."""
    if isinstance(value, Mapping):
        return ""
    for index, member in enumerate(value if isinstance(value, list) else ()):
        found = _object_in(member)
        if found is not None:
            return f"[{index}]{found}"
    return None


def as_before(comparison: Comparison) -> Comparison:
    """Return a comparison whose reason says that its value was saved before objects had to be operands."""

    def compare(actual: Any, now: Any) -> Outcome:
        held, reason = comparison(actual, now)
        return held, f"{_AS_BEFORE}: {reason}"

    return compare
