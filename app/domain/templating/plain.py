"""Templates of nothing but text and paths (``order {{ order.id }}``), rendered without Jinja.

Nearly all templates are such, and they take a tenth of the time this way. All that is out of the ordinary, in the
template or in the values, is left to Jinja, so that there is one place that says what it comes to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_NAME: Final = "[A-Za-z][A-Za-z0-9_]*"
_PATH: Final = re.compile(rf"\{{\{{[ \t]*({_NAME}(?:\.{_NAME})*)[ \t]*\}}\}}")
_SYNTAX: Final = ("{{", "{%", "{#", "\r")
_RESERVED: Final = frozenset({"true", "false", "none", "True", "False", "None", "self"})
_LARGEST_INT: Final = 2**63

Parts = tuple[str | tuple[str, ...], ...]


def plain_parts(source: str) -> Parts | None:
    """Return a template's texts and paths in turn; None where there is more to it."""
    pieces = _PATH.split(source)
    texts, paths = pieces[::2], [tuple(path.split(".")) for path in pieces[1::2]]
    if any(mark in text for text in texts for mark in _SYNTAX) or any(path[0] in _RESERVED for path in paths):
        return None
    parts: list[str | tuple[str, ...]] = [texts[0]]
    for path, text in zip(paths, texts[1:], strict=True):
        parts += (path, text)
    return tuple(part for part in parts if part)


def render_plain(parts: Parts, context: Mapping[str, Any], limit: int) -> str | None:
    """Render texts, numbers and nulls; None where a path ends nowhere or in something else.

    Args:
        parts: What ``plain_parts`` returned.
        context: JSON values by name.
        limit: The most characters of the result.
    """
    out = []
    for part in parts:
        text = part if isinstance(part, str) else _printed(_value(part, context))
        if text is None:
            return None
        out.append(text)
    rendered = "".join(out)
    return rendered if len(rendered) <= limit else None


_NOWHERE: Final = object()


def _value(path: tuple[str, ...], context: Mapping[str, Any]) -> object:
    value: Any = context
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _NOWHERE
        value = value[name]
    return value


def _printed(value: object) -> str | None:
    if type(value) is str:
        return value
    if type(value) is int and -_LARGEST_INT <= value < _LARGEST_INT:
        return str(value)
    if type(value) is float:
        return str(value)
    return "" if value is None else None
