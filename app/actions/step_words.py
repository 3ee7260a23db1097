"""What steps do, in the words of their types' forms: ``Send an e-mail “Welcome, Ada” to customer email``.

The editor says the same while a step is written (``step-words.js``); a test holds the two together. It takes any JSON:
a draft may be unfinished.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from app.actions.registry import REGISTRY
from app.domain.condition_words import PLAIN, Sayer

MOST_CHARS: Final = 90
_NAMED: Final = re.compile(r"\{(\w+)\}")
_OF_EVENT: Final = re.compile(r"\{\{\s*([A-Za-z0-9_.[\]]+)[^}]*\}\}")
_BETWEEN: Final = re.compile(r"[._[\]]+")
_NO_TYPE: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Step:
    """A step as it is shown.

    Attributes:
        icon: The name of its icon.
        does: What it does, such as ``Send an e-mail``.
        what: What with, in a line; empty where that goes without saying.
        texts: What it says at more length, by what that is called.
        only_if: Its own conditions; empty where it has none.
    """

    icon: str
    does: str
    what: str
    texts: Mapping[str, str]
    only_if: str


def step_in_words(action: Mapping[str, Any], *, as_written: bool = False, conditions: Sayer = PLAIN) -> Step:
    """Say what a step does.

    Args:
        action: The step as JSON has it.
        as_written: Leave texts whole, and what they take of the event as it is written, for who shows that itself.
        conditions: Says its conditions.
    """
    schema = _schema(action.get("type"))
    given, only_if = action.get("config"), action.get("conditions")
    config: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    text = _whole if as_written else _short
    sentence = _sentence(schema, config)
    return Step(
        schema.get("x-icon", "skip"),
        step_title(action),
        _NAMED.sub(lambda found: _said(_filled(schema, config, found[1]), text), sentence),
        _texts(schema, config, set(_NAMED.findall(sentence))),
        conditions.all(only_if) if isinstance(only_if, list) else "",
    )


def step_title(action: Mapping[str, Any]) -> str:
    """Say what a step's type does, as its form is headed; of an unknown type its name."""
    return type_title(action.get("type"))


def type_title(name: Any) -> str:
    """Say what a type does; of an unknown one its name."""
    said: str = _schema(name).get("title") or str(name or "").replace("_", " ").capitalize()
    return said or "A step without a type"


def field_title(action_type: Any, field: str) -> str:
    """Return what a field is called in the form of a type; its name where there is no such field."""
    title: str = _fields(_schema(action_type)).get(field, {}).get("title", field)
    return title


def _schema(action_type: Any) -> Mapping[str, Any]:
    return _schema_of(action_type) if isinstance(action_type, str) else _NO_TYPE


@cache
def _schemas() -> Mapping[str, Mapping[str, Any]]:
    return {one.name: one.config.model_json_schema() for one in REGISTRY}


def _schema_of(action_type: str) -> Mapping[str, Any]:
    return _schemas().get(action_type, _NO_TYPE)


def _fields(schema: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    return found


def _sentence(schema: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return the first of the type's sentences whose fields are filled in."""
    for sentence in schema.get("x-summary", ()):
        if all(_said(_filled(schema, config, name), _short) for name in _NAMED.findall(sentence)):
            return str(sentence)
    return ""


def _filled(schema: Mapping[str, Any], config: Mapping[str, Any], name: str) -> Any:
    given = config.get(name)
    return _fields(schema).get(name, {}).get("default") if given is None else given


def _texts(schema: Mapping[str, Any], config: Mapping[str, Any], but: set[str]) -> Mapping[str, str]:
    """Return the texts of several lines that the line does not say."""
    return {
        field["title"]: str(config[name])
        for name, field in _fields(schema).items()
        if field.get("x-widget") == "text" and name not in but and config.get(name)
    }


def _said(value: Any, text: Callable[[str], str]) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(filter(None, (_said(one, text) for one in value)))
    if isinstance(value, Mapping):
        parts = (f"no {name}" if one is None else f"{name}: {_said(one, text)}" for name, one in value.items())
        return ", ".join(parts)
    return text(f"{value:g}" if isinstance(value, float) else str(value))


def _whole(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    """Say a text in a line: ``{{ customer.email | upper }}`` is the customer email."""
    said = _whole(_OF_EVENT.sub(lambda found: _BETWEEN.sub(" ", found[1]).strip(), text))
    return said if len(said) <= MOST_CHARS else f"{said[:MOST_CHARS]}…"
