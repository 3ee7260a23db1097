"""The fields of a form that asks for what a template leaves open: one a placeholder, with its help and its error."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.errors import FieldError
from app.services.workflows.placeholders.values import as_text
from schemas.placeholder import Placeholder

_PREFIX: Final = "placeholders."
_LONG_CHARS: Final = 300
# Of a value that is well by itself, and not where it goes: the place is told as a path of the workflow's JSON.
_WITHIN: Final = re.compile(r"(?:name|description|trigger|conditions|actions)[^ :]*: ")
_KINDS: Final[Mapping[str, str]] = {
    "boolean": "check",
    "choice": "choice",
    "email": "email",
    "phone": "tel",
    "url": "url",
    "time": "time",
}
_HINTS: Final[Mapping[str, str]] = {
    "duration": "A length of time, such as 15 minutes, 2h or 3 days",
    "money": "An amount, such as 49.90",
    "number": "A number",
    "integer": "A whole number",
    "timezone": "A time zone, such as America/Sao_Paulo",
    "channel": "The name of a channel",
    "message_template": "The name of a message template",
    "secret": "The name of a secret, such as CRM_KEY",
    "phone": "With the country code, such as +55 11 91234 5678",
    "url": "Begins with https://",
}
_NEEDED: Final = "is needed: "
_NUMERIC: Final = frozenset({"number", "integer", "money"})


@dataclass(frozen=True, slots=True)
class Field:
    """A field as it is shown.

    Attributes:
        name: In the form; its id, too.
        kind: How it is entered: ``text``, ``area``, ``check``, ``choice``, or a type of ``<input>``.
        value: What stands in it.
        choices: Values and labels to choose from.
        mode: The keyboard of a phone.
        said: What is wrong with it.
    """

    name: str
    label: str
    help: str
    kind: str
    value: str
    choices: Sequence[tuple[str, str]]
    mode: str
    required: bool
    said: str


def fields_of(placeholders: Sequence[Placeholder], given: Mapping[str, str], said: Mapping[str, str]) -> list[Field]:
    """Return the fields of some placeholders.

    Args:
        placeholders: What is asked for.
        given: What was entered; without it the defaults stand there.
        said: What is wrong, by path.
    """
    return [_field(one, given, said.get(_PREFIX + one.name, "")) for one in placeholders]


def entered(placeholders: Sequence[Placeholder], given: Mapping[str, str]) -> dict[str, Any]:
    """Return what was entered, by placeholder, as JSON has it; what is no number goes on as it is, to be refused.

    A field that was emptied is empty, and not as it was before; one that may be, and has nothing to begin with, is
    left out.
    """
    found: dict[str, Any] = {}
    for one in placeholders:
        text = given.get(_PREFIX + one.name)
        if text is None or (not text and one.default is None):
            continue
        found[one.name] = _read(one, text)
    return found


def summary(errors: Sequence[FieldError], placeholders: Sequence[Placeholder]) -> list[tuple[str, str, str]]:
    """Return what is wrong, each with the field that it leads to (or none), that field's label, and the words."""
    labels = {_PREFIX + one.name: one.label for one in placeholders} | {"name": "Name of the workflow"}
    told = (
        (one.path if one.path in labels else "", labels.get(one.path, ""), _sentence(one.message)) for one in errors
    )
    return list(dict.fromkeys(told))


def _field(one: Placeholder, given: Mapping[str, str], said: str) -> Field:
    name = _PREFIX + one.name
    default = "" if one.default is None else as_text(one, one.default)
    is_long = one.type == "text" and ((one.max_length or _LONG_CHARS + 1) > _LONG_CHARS or "\n" in default)
    return Field(
        name=name,
        label=one.label,
        help=_help(one),
        kind="area" if is_long else _KINDS.get(one.type, "text"),
        value=given.get(name, default),
        choices=[(as_text(one, each.value), each.label or as_text(one, each.value)) for each in one.choices or ()],
        mode={"number": "decimal", "money": "decimal", "integer": "numeric"}.get(one.type, ""),
        required=one.required and one.type != "boolean",
        said=_sentence(said),
    )


def _help(one: Placeholder) -> str:
    bounds = [
        f"at least {one.minimum}" if one.minimum is not None else "",
        f"at most {one.maximum}" if one.maximum is not None else "",
    ]
    within = " and ".join(filter(None, bounds))
    hint = _HINTS.get(one.type, "") + (f", in {one.currency}" if one.currency else "")
    said = [one.help.rstrip("."), f"{hint}; {within}" if hint and within else hint or within.capitalize()]
    return ". ".join(filter(None, said))


def _read(one: Placeholder, text: str) -> Any:
    if one.type == "boolean":
        return text == "true"
    if one.type == "choice":
        return next((each.value for each in one.choices or () if as_text(one, each.value) == text), text)
    if one.type in _NUMERIC and one.type != "money":
        try:
            return int(text) if one.type == "integer" else float(text)
        except ValueError:
            return text
    return text.strip() if one.type in {"money", "duration"} else text


def _sentence(message: str) -> str:
    within = _WITHIN.match(message)
    said = f"does not fit where it goes: {message[within.end() :]}" if within else message
    if said.startswith(_NEEDED):
        return "Is needed"  # its label stands beside
    return said[:1].upper() + said[1:]
