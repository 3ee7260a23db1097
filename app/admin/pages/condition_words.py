"""Conditions as a person says them: ``order total is more than 1,000 and customer tags contains “VIP”``. Pure.

The editor says them in the same words while they are written (``condition-words.js``); a test holds the two together.
It takes any JSON: a draft may be unfinished.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_PLAIN: Final = {
    "==": "is",
    "!=": "is not",
    ">": "is more than",
    ">=": "is at least",
    "<": "is less than",
    "<=": "is at most",
    "contains": "contains",
    "not_contains": "does not contain",
    "in": "is one of",
    "not_in": "is none of",
    "starts_with": "starts with",
    "ends_with": "ends with",
}
_TIMES: Final = {"<": "is before", ">": "is after", "<=": "is at or before", ">=": "is at or after"}
_NOW: Final = {
    (">=", "-"): "is within the last",
    (">", "-"): "is within the last",
    ("<", "-"): "is longer ago than",
    ("<", "+"): "is sooner than in",
    (">", "+"): "is later than in",
}
_TODAY: Final = {"": "is today", "-": "was this many days ago:", "+": "is in this many days:"}
_UNITS: Final = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_DISTANCE: Final = re.compile(r"([-+]?)([0-9]+)([smhdw])")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")
_NO_SECONDS: Final = re.compile(r":00(\.0+)?(?=Z|$)")
_MISSING: Final = "…"
_NOT_THERE: Final = object()


def condition_words(conditions: Any) -> str:
    """Say a list of conditions in one sentence; empty where there are none."""
    return _joined(conditions) if isinstance(conditions, Sequence) and not isinstance(conditions, str) else ""


def _joined(items: Sequence[Any]) -> str:
    """Say a list that is joined by each one's own logic: and binds tighter than or."""
    runs: list[list[str]] = [[]]
    for at, item in enumerate(items):
        runs[-1].append(_item(item))
        if isinstance(item, Mapping) and item.get("logic") == "OR" and at + 1 < len(items):
            runs.append([])
    several = len(runs) > 1
    return " or ".join(f"({' and '.join(run)})" if several and len(run) > 1 else " and ".join(run) for run in runs)


def _item(item: Any) -> str:
    if not isinstance(item, Mapping):
        return _value(item)
    name = next((one for one in ("all", "any", "not") if one in item), None)
    return _leaf(item) if name is None else _group(name, item[name])


def _group(name: str, inner: Any) -> str:
    prefix = ""
    if name == "not":
        if isinstance(inner, list):
            return f"not ({_joined(inner)})"
        below = next((one for one in ("any", "all") if isinstance(inner, Mapping) and one in inner), None)
        prefix = "not all of" if below == "all" else "none of"
        inner = inner[below] if below else [inner]
    if not isinstance(inner, list):
        return _MISSING
    words = [_item(one) for one in inner]
    if prefix:
        return f"{prefix} ({', '.join(words)})"
    if not words:
        return "anything" if name == "all" else "nothing at all"
    return words[0] if len(words) == 1 else f"({(' and ' if name == 'all' else ' or ').join(words)})"


def _leaf(leaf: Mapping[str, Any]) -> str:
    field, operator, value = leaf.get("field"), str(leaf.get("operator", _MISSING)), leaf.get("value", _NOT_THERE)
    said = field.replace(".", " ").replace("_", " ") if isinstance(field, str) and field else _MISSING
    return f"{said} {_compared(operator, value)}"


def _compared(operator: str, value: Any) -> str:
    plain = _PLAIN.get(operator, operator)
    if value is None and operator in ("==", "!="):
        return "is empty" if operator == "==" else "has a value"
    if isinstance(value, list) and operator in ("in", "not_in"):
        return f"{plain} {_list(value)}"
    if isinstance(value, str) and operator in _TIMES and _TIME.match(value):
        shown = _NO_SECONDS.sub("", value.replace("T", " ", 1), count=1).replace("Z", " UTC")
        return f"{_TIMES[operator]} {shown}"
    return _relative(operator, value) or f"{plain} {_value(value)}"


def _relative(operator: str, value: Any) -> str | None:
    """Say a distance from now, or from today; None of anything else, and of what has no words."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    (name, text), *_ = value.items()
    found = _DISTANCE.fullmatch("0d" if text is True else str(text))
    if found is None:
        return None
    sign, amount, unit = "-" if found[1] == "-" else "+", int(found[2]), found[3]
    if name == "now" and (words := _NOW.get((operator, sign))):
        return f"{words} {amount} {_UNITS[unit]}{'' if amount == 1 else 's'}"
    if name == "today" and operator == "==" and unit == "d":
        return f"{_TODAY[sign]} {amount}" if amount else _TODAY[""]
    return None


def _list(values: list[Any]) -> str:
    said = [_value(one) for one in values]
    return f"{', '.join(said[:-1])} or {said[-1]}" if len(said) > 1 else "".join(said) or _MISSING


def _value(value: Any) -> str:
    if value is _NOT_THERE or value == "":
        return _MISSING
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "yes", False: "no"}[value]
    if isinstance(value, int | float):
        return f"{value:,}".removesuffix(".0")
    if isinstance(value, str):
        return f"“{value}”"
    shown = value["json"] if isinstance(value, Mapping) and value.keys() == {"json"} else value
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
