"""JSON values: their kinds, exact equality, exact decimals, and the bounded form in which a log shows them."""

from __future__ import annotations

import re
from collections.abc import Hashable
from decimal import Decimal
from math import isfinite
from typing import Any, Final

MAX_SHOWN_BYTES: Final = 1_024
MAX_NUMBER_BITS: Final = 13_288
_START_CHARACTERS: Final = 128
# JSON writes one character in at most six bytes (an escaped control character), so this many always fit.
_SURELY_FITS: Final = 170
_LONGEST_EXACT_BITS: Final = 3_000
_MACHINE_BITS: Final = 63

_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?\Z")
_KINDS: Final = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
}


def kind(value: Any) -> str:
    """What JSON calls the value's type: object, array, string, boolean, number or null."""
    return _KINDS.get(type(value), "unknown")


def is_number(value: Any) -> bool:
    """Whether it is a finite number; a bool is not one."""
    return type(value) is int or (type(value) is float and isfinite(value))


def read_decimal(text: str) -> Decimal | None:
    """Read a plain decimal literal (``199.00``, ``-3``) exactly, in time linear in its length; None if it is not one.

    Neither exponent, plus sign, thousands separator, blank nor non-ASCII digit is part of one.
    """
    return Decimal(text) if _DECIMAL.match(text) else None


def as_decimal(number: float) -> Decimal:
    """A JSON number as the decimal it was written as: of a float, the shortest one that reads back as it."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def depth(value: Any, limit: int) -> int:
    """How deep arrays and objects nest in it (a scalar is 0), counted no further than ``limit`` + 1."""
    if limit < 0 or not isinstance(value, (list, dict)):
        return int(limit < 0)
    members = value.values() if isinstance(value, dict) else value
    return 1 + max((depth(member, limit - 1) for member in members), default=0)


def check_json(value: Any, max_depth: int) -> None:
    """Refuse what no JSON document holds, or nests too deep.

    Raises:
        ValueError: With the reason.
    """
    if depth(value, max_depth) > max_depth:
        raise ValueError(f"must nest at most {max_depth} levels deep")
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, (list, dict)):
            stack.extend(item.values() if isinstance(item, dict) else item)
        elif type(item) is float and not isfinite(item):
            raise ValueError("must hold finite numbers only")
        elif type(item) is int and item.bit_length() > MAX_NUMBER_BITS:
            raise ValueError("must hold no number of more than 4,000 digits")
        elif kind(item) == "unknown":
            raise ValueError("must be JSON")


def identity(value: Any, limit: int) -> Hashable:
    """A key that two JSON values share exactly if they are equal: numbers by value, ``true`` is not 1.

    Args:
        value: Any JSON.
        limit: The depth at which to stop; what nests deeper equals nothing that nests less deep.
    """
    if isinstance(value, bool):
        return (bool, value)
    if not isinstance(value, (list, dict)):
        return (type(value).__name__, value) if not isinstance(value, (str, int, float)) else value
    if limit <= 0:
        return (object, "deeper")
    if isinstance(value, list):
        return (list, tuple(identity(member, limit - 1) for member in value))
    return (dict, frozenset((key, identity(member, limit - 1)) for key, member in value.items()))


def equal(actual: Any, expected: Any) -> bool:
    """Deep equality of JSON. It recurses no deeper than ``expected`` nests."""
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and actual.keys() == expected.keys()
            and all(equal(actual[key], member) for key, member in expected.items())
        )
    if isinstance(expected, list):
        return isinstance(actual, list) and len(actual) == len(expected) and all(map(equal, actual, expected))
    return bool(actual == expected) and isinstance(actual, bool) == isinstance(expected, bool)


def shown(value: Any) -> Any:
    """The value as a log shows it: itself if it takes at most 1 KiB of JSON, else a mark in its place.

    The mark is ``{"cut": true, "type": "string", "length": 4096, "start": "…"}``; ``start`` is of strings only. What
    JSON encoders refuse is replaced too: integers over 64 bits are given as text, lone surrogates as ``?``.
    """
    value_type = type(value)
    if value_type is str:
        return value if len(value) <= _SURELY_FITS and value.isascii() else _shown_text(value)
    if value_type is int:
        return value if value.bit_length() <= _MACHINE_BITS else _shown_integer(value)
    if value is None or value_type is bool or (value_type is float and isfinite(value)):
        return value
    if value_type is float:
        return str(value)
    return _shown_container(value)


def _shown_container(value: Any) -> Any:
    if not isinstance(value, (list, dict)):
        return {"cut": True, "type": kind(value)}
    fits = (isinstance(value, list) and _surely_fits(value)) or _fits(value)
    return value if fits else {"cut": True, "type": kind(value), "length": len(value)}


def _shown_text(text: str) -> Any:
    clean = text[:MAX_SHOWN_BYTES].encode("utf-8", "replace").decode()
    if len(text) <= MAX_SHOWN_BYTES and _text_size(clean) <= MAX_SHOWN_BYTES:
        return clean
    return {"cut": True, "type": "string", "length": len(text), "start": clean[:_START_CHARACTERS] + "…"}


def _shown_integer(number: int) -> Any:
    bits = number.bit_length()
    return str(number) if bits <= _LONGEST_EXACT_BITS else {"cut": True, "type": "number", "bits": bits}


def _text_size(text: str) -> int:
    # What orjson writes: UTF-8; quotes, backslashes and control characters escaped, in two to six bytes.
    escaped = sum(5 if character < " " else 1 for character in text if character < " " or character in '"\\')
    return len(text.encode()) + escaped + 2


def _surely_fits(items: list[Any]) -> bool:
    """A quick look at short arrays of short scalars, which most are; sizes are guessed too large, never too small."""
    left = MAX_SHOWN_BYTES
    for item in items:
        if type(item) is str and item.isascii():
            left -= 6 * len(item) + 3
        elif type(item) is int and item.bit_length() <= _MACHINE_BITS:
            left -= 21
        else:
            return False
        if left < 2:  # noqa: PLR2004 - the brackets
            return False
    return True


def _fits(value: Any) -> bool:
    """Whether arrays and objects take at most 1 KiB of JSON and hold only what every encoder takes."""
    left = MAX_SHOWN_BYTES
    stack = [value]
    while stack and left >= 0:
        item = stack.pop()
        if not isinstance(item, (list, dict)):
            left -= _scalar_size(item)
            continue
        # Counted before it is walked, so that a huge value is given up at once.
        left -= 2 + 2 * len(item)
        if left >= 0:
            stack.extend(item)
            stack.extend(item.values() if isinstance(item, dict) else ())
    return left >= 0


def _scalar_size(item: Any) -> int:
    # Of what an encoder would refuse: more than fits.
    whole = shown(item)
    if isinstance(whole, dict) or type(whole) is not type(item) or whole != item:
        return MAX_SHOWN_BYTES + 1
    return _text_size(whole) if isinstance(whole, str) else len(repr(whole))
