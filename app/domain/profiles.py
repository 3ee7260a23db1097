"""A customer's profile, of fields of one's own choice within bounds; and where a step sees it as it is: ``current``."""

import re
from typing import Any, Final

from app.domain.visible import is_visible

MAX_FIELDS: Final = 50
MAX_CHANGE_BYTES: Final = 16 * 1024
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_REACHED_BY: Final = ("email", "phone")
_NOT_CHANGED_SO: Final = {
    "id": "a customer keeps the id",
    "tags": "tags are applied and removed one by one",
}


def name_problem(name: str) -> str | None:
    """Say what is wrong with a field's name; None: nothing is."""
    if name in _NOT_CHANGED_SO:
        return f"{name} cannot be set: {_NOT_CHANGED_SO[name]}"
    if not _NAME.fullmatch(name):
        return f"{name!r} is no field name: a letter, then letters, digits or _, at most 64"
    return None


def value_problem(name: str, value: Any) -> str | None:
    """Say what is wrong with a field's value; None: nothing is. What a customer is reached by is there, or is not."""
    blank = name in _REACHED_BY and isinstance(value, str) and not is_visible(value)
    return "must not be blank: remove it where there is none" if blank else None


CURRENT_ROOT: Final = "current"


CURRENT_NAMES: Final = ("customer", "order")
