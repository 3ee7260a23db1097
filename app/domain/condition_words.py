"""Conditions as a person says them: ``order total is more than 1,000 and customer tags contains “VIP”``. Pure.

The editor says them in the same words while they are written (``condition-words.js``); a test holds the two together.
It takes any JSON: a draft may be unfinished.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.operator_words import UNITS, plain_words, words_of

_DISTANCE: Final = re.compile(r"([-+]?)([0-9]+)([smhdw])")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")
_NO_SECONDS: Final = re.compile(r":00(\.0+)?(?=Z|$)")
_MISSING: Final = "…"
_NOT_THERE: Final = object()
_BEYOND_WHOLE: Final = 1e15
_MOST: Final = 90
_FIRST: Final = 20
# What turns a line around, or is not seen.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def spoken(path: str) -> str:
    """Say a path as a person does: ``order.total`` is the order total."""
    return path.replace(".", " ").replace("_", " ")


def quoted(text: str) -> str:
    """Say a text."""
    return f"“{text}”"


def shortened(text: str) -> str:
    """Say as much of a text as a sentence has room for; what turns a line around, or is not seen, as a mark."""
    return _UNSEEN.sub("\ufffd", text if len(text) <= _MOST else f"{text[:_MOST]}{_MISSING}")


def _text(text: str) -> str:
    return quoted(shortened(text))


def number_words(value: float) -> str:
    """Say a number, its thousands grouped; one too large to be exact as it is written."""
    return f"{value:,}".removesuffix(".0") if isinstance(value, int) or abs(value) < _BEYOND_WHOLE else str(value)


@dataclass(frozen=True, slots=True)
class Sayer:
    """Says conditions.

    Attributes:
        field: Says the path of a field.
        text: Says a text that a field is compared with.
    """

    field: Callable[[str], str] = spoken
    text: Callable[[str], str] = _text

    def all(self, items: Sequence[Any]) -> str:
        """Say a list that is joined by each one's own logic: and binds tighter than or."""
        runs: list[list[str]] = [[]]
        for at, item in enumerate(items):
            runs[-1].append(self.one(item))
            if isinstance(item, Mapping) and item.get("logic") == "OR" and at + 1 < len(items):
                runs.append([])
        several = len(runs) > 1
        return " or ".join(f"({' and '.join(run)})" if several and len(run) > 1 else " and ".join(run) for run in runs)

    def one(self, item: Any) -> str:
        """Say a condition, or a group of them."""
        if not isinstance(item, Mapping):
            return self.value(item)
        name = next((one for one in ("all", "any", "not") if one in item), None)
        return self._leaf(item) if name is None else self._group(name, item[name])

    def value(self, value: Any) -> str:
        """Say what a field is compared with."""
        if value is _NOT_THERE or value == "":
            return _MISSING
        if value is None or isinstance(value, bool):
            return {None: "nothing", True: "yes", False: "no"}[value]
        if isinstance(value, int | float):
            return number_words(value)
        if isinstance(value, str):
            return self.text(value)
        shown = value["json"] if isinstance(value, Mapping) and value.keys() == {"json"} else value
        return shortened(json.dumps(shown, ensure_ascii=False, separators=(",", ":")))

    def _group(self, name: str, inner: Any) -> str:
        prefix = ""
        if name == "not":
            if isinstance(inner, list):
                return f"not ({self.all(inner)})"
            below = next((one for one in ("any", "all") if isinstance(inner, Mapping) and one in inner), None)
            prefix = "not all of" if below == "all" else "none of"
            inner = inner[below] if below else [inner]
        if not isinstance(inner, list):
            return _MISSING
        words = [self.one(one) for one in inner]
        if prefix:
            return f"{prefix} ({', '.join(words)})"
        if not words:
            return "anything" if name == "all" else "nothing at all"
        return words[0] if len(words) == 1 else f"({(' and ' if name == 'all' else ' or ').join(words)})"

    def _leaf(self, leaf: Mapping[str, Any]) -> str:
        field, operator, value = leaf.get("field"), str(leaf.get("operator", _MISSING)), leaf.get("value", _NOT_THERE)
        said = self.field(field) if isinstance(field, str) and field else _MISSING
        return f"{said} {self._compared(operator, value)}"

    def _compared(self, operator: str, value: Any) -> str:
        if value is None and (words := words_of(operator, "none")):
            return words
        if isinstance(value, list) and (words := words_of(operator, "list")):
            return f"{words} {self._list(value)}"
        if isinstance(value, str) and _TIME.match(value) and (words := words_of(operator, "time")):
            shown = _NO_SECONDS.sub("", value.replace("T", " ", 1), count=1).replace("Z", " UTC")
            return f"{words} {shown}"
        return _relative(operator, value) or f"{plain_words(operator)} {self.value(value)}"

    def _list(self, values: list[Any]) -> str:
        if len(values) > _FIRST + 1:
            return f"{', '.join(map(self.value, values[:_FIRST]))} or {len(values) - _FIRST} more"
        said = [self.value(one) for one in values]
        return f"{', '.join(said[:-1])} or {said[-1]}" if len(said) > 1 else "".join(said) or _MISSING


def emphasized(path: str) -> str:
    """Say the path of a field between asterisks, for who shows it with emphasis."""
    return f"*{spoken(path)}*"


PLAIN: Final = Sayer()
EMPHATIC: Final = Sayer(field=emphasized)


def condition_words(conditions: Any) -> str:
    """Say a list of conditions in one sentence; empty where there are none."""
    return PLAIN.all(conditions) if isinstance(conditions, Sequence) and not isinstance(conditions, str) else ""


def _relative(operator: str, value: Any) -> str | None:
    """Say a distance from now, or from today; None of anything else, and of what has no words."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    (name, text), *_ = value.items()
    found = _DISTANCE.fullmatch("0d" if text is True else str(text))
    if found is None:
        return None
    sign, amount, unit = "-" if found[1] == "-" else "+", int(found[2]), found[3]
    if name == "now" and (words := words_of(operator, "now", sign)):
        return f"{words} {amount} {UNITS[unit]}{'' if amount == 1 else 's'}"
    if name == "today" and unit == "d" and (words := words_of(operator, "today", sign if amount else "")):
        return f"{words} {amount}" if amount else words
    return None
