"""Fields of a customer's profile: how a value is shown and entered, and what an entered one is."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

import orjson

from app.admin.pages.wording import number
from app.admin.requests import document_of
from app.domain.errors import FieldError, InvalidError

Kind = Literal["text", "number", "yes_no", "json"]
KINDS: Final[Mapping[Kind, str]] = {
    "text": "Text",
    "number": "Number",
    "yes_no": "Yes or no",
    "json": "A list or group (JSON)",
}
_OWN: Final = frozenset({"id", "tags"})
# By whom one is known; the rest by its name.
_FIRST: Final = {"name": 0, "last_name": 1, "email": 2, "phone": 3}
_YES: Final = {"yes": True, "no": False}


class ProfileField(NamedTuple):
    """A field as it is shown; ``entered``: as a form has it."""

    name: str
    kind: Kind
    shown: str
    entered: str


def fields_of(customer: Mapping[str, Any]) -> Iterator[ProfileField]:
    """Yield a customer's fields, but for the id and the tags."""
    for name, value in sorted(customer.items(), key=lambda one: (_FIRST.get(one[0], len(_FIRST)), one[0])):
        if name not in _OWN:
            kind = kind_of(value)
            yield ProfileField(name, kind, _shown(kind, value), _entered(kind, value))


def kind_of(value: Any) -> Kind:
    """Return what kind of value it is."""
    if isinstance(value, bool):
        return "yes_no"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "json"


def _shown(kind: Kind, value: Any) -> str:
    return number(value) if kind == "number" else _entered(kind, value)


def _entered(kind: Kind, value: Any) -> str:
    if kind == "yes_no":
        return "yes" if value else "no"
    return value if kind == "text" else orjson.dumps(value).decode()


def value_of(kind: Kind, entered: str) -> Any:
    """Return the value that was entered.

    Raises:
        InvalidError: It is none of its kind.
    """
    if kind == "text":
        return entered
    if kind == "yes_no":
        if entered.strip().lower() not in _YES:
            raise InvalidError([FieldError("value", "must be yes or no")])
        return _YES[entered.strip().lower()]
    try:
        orjson.loads(entered.strip())
    except orjson.JSONDecodeError:
        raise InvalidError([FieldError("value", _WRONG[kind])]) from None
    try:
        read = document_of(entered.strip().encode())
    except InvalidError as error:
        first = error.errors[0]
        raise InvalidError([FieldError("value", f"{first.path} {first.message}".strip())]) from None
    if kind == "number" and kind_of(read) != "number":
        raise InvalidError([FieldError("value", _WRONG[kind])])
    return read


_WRONG: Final[Mapping[Kind, str]] = {
    "number": "must be a number, such as 40 or 12.5",
    "json": 'must be JSON, such as ["red", "blue"]',
}
