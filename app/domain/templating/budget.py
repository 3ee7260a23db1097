"""The bounds of one render: steps, and the sizes of texts, numbers and collections.

A step is about what one node of the template's syntax tree costs, well under a microsecond. Loops and macros are
charged for their bodies, filters, calls and printed values for the text that they handle. So the steps bound the
time and the memory of any template's render.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

from jinja2 import Undefined

from app.domain.templating.errors import TemplateFailure

MAX_STEPS: Final = 250_000
MAX_TEXT: Final = 262_144
MAX_MEMBERS: Final = 65_536
MAX_BITS: Final = 4_096
_CHARACTERS_PER_STEP: Final = 16


class Budget:
    """The steps that are left of one render."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps = MAX_STEPS


CURRENT: Final[ContextVar[Budget | None]] = ContextVar("template_budget", default=None)


def charge(steps: int) -> None:
    """Take steps off the running render; free of charge where none runs, as when a constant is compiled.

    Raises:
        TemplateFailure: None are left.
    """
    budget = CURRENT.get()
    if budget is not None:
        budget.steps -= steps
        if budget.steps < 0:
            raise TemplateFailure(f"takes more than {MAX_STEPS} steps: too many or too long loops")


def charge_text(text: str) -> None:
    """Take the steps that handling a text costs.

    Raises:
        TemplateFailure: The text is too long, or no steps are left.
    """
    check_length(len(text))
    charge(1 + len(text) // _CHARACTERS_PER_STEP)


def check_length(length: int) -> None:
    """Refuse a text of so many characters, before it is made where that could hurt.

    Raises:
        TemplateFailure: It is too long.
    """
    if length > MAX_TEXT:
        raise TemplateFailure(f"makes a text of more than {MAX_TEXT} characters")


def charge_value(value: Any) -> None:
    """Take the steps that walking a value costs: all of its members, as often as they are in it, and their text.

    Raises:
        TemplateFailure: It is too large, or no steps are left.
    """
    if isinstance(value, str):
        return charge_text(value)
    if value is None or isinstance(value, (bool, int, float, Undefined)):
        return charge(1)
    text, members, pending = 0, 0, [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            text += len(item)
        elif isinstance(item, (list, tuple, dict)):
            members += len(item)
            _check_members(members)
            pending.extend(item)
            pending.extend(item.values() if isinstance(item, dict) else ())
        check_length(text)
    return charge(1 + members + text // _CHARACTERS_PER_STEP)


def _check_members(members: int) -> None:
    if members > MAX_MEMBERS:
        raise TemplateFailure(f"makes a collection of more than {MAX_MEMBERS} members")


def check_bits(bits: int) -> None:
    """Refuse an integer of so many bits, before it is made.

    Raises:
        TemplateFailure: It is too large.
    """
    if bits > MAX_BITS:
        raise TemplateFailure(f"makes a number of more than {MAX_BITS} bits")
