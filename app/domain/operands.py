"""Operands: what an object means as the value of a condition.

``{"now": …}`` is a time, ``{"today": …}`` a day, ``{"json": …}`` exactly that JSON. Any other object is refused:
it is a mistake in one of the first two more often than it is meant, and compared as an object it would never hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.domain.reasons import Comparison, Outcome

KNOWN: Final = 'known are {"now": "-90d"}, {"today": "+3d", "timezone": "America/Sao_Paulo"} and {"json": any JSON}'
_AS_BEFORE: Final = 'the value is no known operand, so it stands for itself, which {"json": ...} would say'


class OperandError(ValueError):
    """An object that is no operand; workflows were saved with such once."""


def literal(value: Any) -> Any:
    """Return what a value stands for where members of arrays are compared; there is no time and no day.

    Raises:
        OperandError: It is an object other than ``{"json": …}``.
    """
    if not isinstance(value, Mapping):
        return value
    if value.keys() != {"json"}:
        raise OperandError('must be no object; {"json": ...} compares with an object itself')
    return value["json"]


def literals(value: Any) -> Any:
    """Return an array with what each member stands for; errors as in ``literal``."""
    return [literal(member) for member in value] if isinstance(value, list) else value


def as_before(comparison: Comparison) -> Comparison:
    """Return a comparison whose reason says that its value was saved before objects had to be operands."""

    def compare(actual: Any, now: Any) -> Outcome:
        held, reason = comparison(actual, now)
        return held, f"{_AS_BEFORE}: {reason}"

    return compare
