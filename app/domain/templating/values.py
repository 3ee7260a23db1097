"""How values become text in templates, and what operators may make of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from jinja2 import Undefined
from markupsafe import Markup

from app.domain.templating.budget import charge, charge_text, charge_value, check_bits, check_length
from app.domain.templating.errors import TemplateFailure

MAX_BRIEF: Final = 200
_SHORT: Final = 10**40


def brief(value: Any) -> str:
    """What an error calls a name: the name itself, cut, or what kind of value stands for it; never a whole value."""
    if isinstance(value, str):
        return str(value[:MAX_BRIEF])
    if value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and -_SHORT < value < _SHORT):
        return str(value)
    return f"<{type(value).__name__}>"


def printed(value: Any) -> Any:
    """What ``{{ value }}`` prints: texts and numbers as they are, the rest as JSON, and nothing at all for null.

    Raises:
        TemplateFailure: It is no JSON value (a function, say), or too large.
        UndefinedError: It is undefined.
    """
    if isinstance(value, str):
        charge_text(value)
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        if isinstance(value, int):
            check_bits(value.bit_length())
        return value
    if isinstance(value, Undefined):
        return str(value)
    return as_json(value)


def as_json(value: Any, indent: int | None = None) -> str:
    """The value as JSON text, with nothing escaped for HTML.

    Raises:
        TemplateFailure: It is no JSON value, or too large.
        UndefinedError: It is undefined.
    """
    charge_value(value)
    return json.dumps(value, ensure_ascii=False, indent=min(indent, 8) if indent else None, default=_refuse)


def _refuse(value: Any) -> str:
    if isinstance(value, Undefined):
        return str(value)
    raise TemplateFailure("prints something that is no text, number, list or object")


def joined(parts: Iterable[Any]) -> str:
    """What ``a ~ b`` makes: the parts' text; where one of them is safe HTML, the others are escaped."""
    texts = [part if isinstance(part, str) else str(printed(part)) for part in parts]
    check_length(sum(map(len, texts)))
    for text in texts:
        charge_text(text)
    return Markup().join(texts) if any(isinstance(text, Markup) for text in texts) else "".join(texts)


def add(left: Any, right: Any) -> Any:
    """``left + right``: of numbers, texts and lists, within the bounds."""
    if isinstance(left, str) and isinstance(right, str):
        check_length(len(left) + len(right))
    elif isinstance(left, int) and isinstance(right, int):
        check_bits(max(left.bit_length(), right.bit_length()))
    total = left + right
    charge_value(total)
    return total


def multiply(left: Any, right: Any) -> Any:
    """``left * right``: of numbers, or a text a number of times, within the bounds."""
    if isinstance(left, int) and isinstance(right, int):
        check_bits(left.bit_length() + right.bit_length())
    elif isinstance(left, str) and isinstance(right, int):
        check_length(len(left) * right)
        charge(len(left) * max(right, 0) // 16)
    elif not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return _no_numbers("*", left, right)
    return left * right


def power(left: Any, right: Any) -> Any:
    """``left ** right``: of numbers, within the bounds."""
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return _no_numbers("**", left, right)
    if isinstance(left, int) and isinstance(right, int):
        check_bits(left.bit_length() * abs(right))
    return left**right


def remainder(left: Any, right: Any) -> Any:
    """``left % right``: of numbers only, so no formatting of texts."""
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return _no_numbers("%", left, right)
    return left % right


def _no_numbers(operator: str, left: Any, right: Any) -> Any:
    for operand in (left, right):
        if isinstance(operand, Undefined):
            str(operand)
    raise TemplateFailure(f"{operator} takes numbers")
