"""Conditions that an event proposes: what it holds that others of its type may not. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

MOST: Final = 12
_DEEPEST: Final = 4
_LONGEST: Final = 40
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
# What tells one thing from another says nothing of which are alike.
_ONE_ALONE: Final = re.compile(r"(^|_)(id|name|email|phone|text|subject|sku|url|address|at|time|date)$")


def proposed(data: Any) -> list[dict[str, Any]]:
    """Return conditions that hold for an event with this data, the most telling ones first."""
    found = list(_conditions(data, ()))
    return sorted(found, key=lambda one: _RANKS[one["operator"]])[:MOST]


_RANKS: Final[Mapping[str, int]] = {">=": 0, "contains": 1, "==": 2}


def _conditions(value: Any, path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if isinstance(value, Mapping) and len(path) < _DEEPEST:
        for name, inner in value.items():
            if name.isidentifier() and not _ONE_ALONE.search(name):
                yield from _conditions(inner, (*path, name))
    elif path:
        yield from _of_value(".".join(path), value)


def _of_value(field: str, value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, bool):
        yield {"field": field, "operator": "==", "value": value}
    elif isinstance(value, int | float):
        yield {"field": field, "operator": ">=", "value": value}
    elif isinstance(value, str) and _DECIMAL.fullmatch(value):
        yield {"field": field, "operator": ">=", "value": _number(value)}
    elif isinstance(value, str) and 0 < len(value) <= _LONGEST:
        yield {"field": field, "operator": "==", "value": value}
    elif isinstance(value, list):
        texts = [one for one in value if isinstance(one, str) and 0 < len(one) <= _LONGEST]
        yield from ({"field": field, "operator": "contains", "value": one} for one in texts[:3])


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number
