"""Where something stands in a JSON document that its parsed value no longer tells of: keys given twice, long integers.

Our parser keeps the last of keys that are alike, takes an integer over 64 bits for the nearest float, and gives up what
nests too deep. Python's own tells of keys and integers as it reads, at some milliseconds a megabyte; places are worked
out only where there is something to name, and where events come by the thousand a look at what was parsed says first
whether there may be (``may_repeat_keys``).
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

import orjson

from app.domain.errors import FieldError
from app.domain.storable import too_deep
from schemas.field_errors import MAX_ERRORS, path_text
from schemas.integers import fits_64_bits, over_64_bits, too_long_text

_TWICE: Final = "is given more than once in its object"
# Past it, reading again to name the place would hold up the others.
_MAX_READ_AGAIN: Final = 1024 * 1024
_MARKS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}:,]', re.DOTALL)
_ESCAPED_COLON: Final = re.compile(rb"\\u003[aA]")

_Parts = tuple[int | str, ...]


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written: its keys, in order, any of them any number of times."""


class _Long(str):
    """An integer over 64 bits, as it was written."""

    __slots__ = ()


def may_repeat_keys(raw: bytes, encoded: bytes) -> bool:
    """Tell whether a key may stand twice in one object, at a small part of what parsing costs.

    An object has a colon for each of its keys, and a text has as many as it says: where what was parsed has them all
    when it is encoded again, no key was dropped. A colon that is escaped would make up for one that was, so such a
    document always may.

    Args:
        raw: A JSON document.
        encoded: What it was parsed to, as our parser does, encoded again.
    """
    return raw.count(b":") != encoded.count(b":") or (b"\\" in raw and _ESCAPED_COLON.search(raw) is not None)


def repeated_keys(raw: bytes | str) -> list[FieldError]:
    """Return each key that stands twice in one object, by its path where that can be told at little cost.

    Args:
        raw: A JSON document that has been parsed, nests no deeper than Python reads, and has no integer over 64 bits.
    """
    repeated: str | None = None

    def seen(pairs: list[tuple[str, Any]]) -> None:
        nonlocal repeated
        if repeated is None and len({name for name, _ in pairs}) != len(pairs):
            repeated = next(one.path for one in _twice((), _Pairs(pairs)))

    json.loads(raw, object_pairs_hook=seen)
    if repeated is None:
        return []
    if len(raw) > _MAX_READ_AGAIN:
        return [FieldError("", f"{repeated} {_TWICE}")]
    return _named(json.loads(raw, object_pairs_hook=_Pairs), _twice)


def long_integers(raw: bytes) -> list[FieldError]:
    """Return what is wrong with integers over 64 bits, each by its path where that can be told at little cost.

    Args:
        raw: A JSON document that has been parsed.
    """
    said = over_64_bits(raw)
    if said is None:
        return []
    whole = [FieldError("", said)]
    if len(raw) > _MAX_READ_AGAIN:
        return whole
    try:
        return _named(json.loads(raw, object_pairs_hook=_Pairs, parse_int=_integer), _long) or whole
    except RecursionError:
        return whole


def nests_too_deep(error: orjson.JSONDecodeError) -> bool:
    """Tell whether our parser has given a document up because it nests deeper than the parser goes."""
    return "depth limit" in str(error)


def not_utf8(raw: bytes) -> str | None:
    """Say which byte is the first that no UTF-8 has; None where all are: our parser speaks of surrogates."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"is not UTF-8: byte {raw[error.start]:#04x} at position {error.start}, counted from 0"
    return None


def given_up_at(error: orjson.JSONDecodeError, raw: bytes, levels: int) -> FieldError | None:
    """Return where a document nests deeper than so many levels, if our parser has given it up for that."""
    return deep_place(raw, levels) if nests_too_deep(error) else None


def deep_place(raw: bytes, levels: int) -> FieldError | None:
    """Return where a document nests deeper than so many levels; None where it does not.

    Args:
        raw: A JSON document, well formed up to there: our parser has come as far.
        levels: How deep it may nest.
    """
    place: list[int | str] = []
    key = b'""'
    for found in _MARKS.finditer(raw):
        mark = found.group()
        if mark in b"[{":
            if len(place) >= levels:
                deep = too_deep(tuple(place), levels)
                return FieldError(path_text(deep.place), deep.message)
            place.append(0 if mark == b"[" else "")
        elif mark in b"]}":
            place.pop()
        elif mark == b":":
            place[-1] = orjson.loads(key)
        elif mark != b",":
            key = mark
        elif isinstance(last := place[-1], int):
            place[-1] = last + 1
    return None


def _integer(literal: str) -> object:
    return 0 if fits_64_bits(literal.encode()) else _Long(literal)


def _named(document: Any, wrong: Callable[[_Parts, Any], Iterator[FieldError]]) -> list[FieldError]:
    return list(islice((one for place, item in _items(document) for one in wrong(place, item)), MAX_ERRORS))


def _twice(place: _Parts, item: Any) -> Iterator[FieldError]:
    told: dict[str, bool] = {}
    for name, _ in item if isinstance(item, _Pairs) else ():
        if told.get(name) is False:
            yield FieldError(path_text((*place, name)), _TWICE)
        told[name] = name in told


def _long(place: _Parts, item: Any) -> Iterator[FieldError]:
    if isinstance(item, _Long):
        yield FieldError(path_text(place), too_long_text(item))


def _items(document: Any) -> Iterator[tuple[_Parts, Any]]:
    """Yield every value of a document with its place, in the order they were written."""
    pending: list[tuple[_Parts, Any]] = [((), document)]
    while pending:
        place, item = pending.pop()
        yield place, item
        if isinstance(item, _Pairs):
            pending.extend(((*place, name), member) for name, member in reversed(item))
        elif isinstance(item, list):
            pending.extend(((*place, index), item[index]) for index in reversed(range(len(item))))
