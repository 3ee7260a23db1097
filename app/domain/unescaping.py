"""Undoing escapes in a text, of whatever kind they are and however they are mixed; and the way back to the text.

Percent-encoding, JSON's and other languages' backslashes, HTML's entities. Works on bytes in small letters.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from typing import Final, Literal

Span = tuple[int, int]
Kind = Literal["any", "percent", "backslash", "entity"]

_PERCENT: Final = rb"%(?P<percent>[0-9a-f]{2})"
_BACKSLASH: Final = (
    rb"\\(?:u(?P<high>d[89ab][0-9a-f]{2})\\u(?P<low>d[c-f][0-9a-f]{2})|u(?P<unit>[0-9a-f]{4})"
    rb"|u\{(?P<code>[0-9a-f]{1,6})\}|x(?P<byte>[0-9a-f]{2})|(?P<sign>[\\/\"'bfnrt]))"
)
_ENTITY: Final = (
    rb"&(?:\#x(?P<hex>[0-9a-f]{1,6})|\#(?P<decimal>[0-9]{1,7})"
    rb"|(?P<name>amp|lt|gt|quot|apos|sol|plus|num|equals|percnt));"
)
_SIGN: Final[dict[Kind, bytes]] = {"percent": b"%", "backslash": b"\\", "entity": b"&"}
_ESCAPE: Final[dict[Kind, re.Pattern[bytes]]] = {
    "any": re.compile(b"|".join((_PERCENT, _BACKSLASH, _ENTITY))),
    "percent": re.compile(_PERCENT),
    "backslash": re.compile(_BACKSLASH),
    "entity": re.compile(_ENTITY),
}
_SIGNS: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_NAMES: Final = {
    b"amp": b"&",
    b"lt": b"<",
    b"gt": b">",
    b"quot": b'"',
    b"apos": b"'",
    b"sol": b"/",
    b"plus": b"+",
    b"num": b"#",
    b"equals": b"=",
    b"percnt": b"%",
}
_LAST_CODE: Final = 0x10FFFF


def kinds_in(data: bytes) -> tuple[Kind, ...]:
    """Return how a text may be escaped: in any way, and where there are several in each alone.

    A ``%de`` in what HTML has escaped may be just that.
    """
    seen = [kind for kind, sign in _SIGN.items() if sign in data]
    return ("any", *(seen if len(seen) > 1 else ())) if seen else ()


def unescape(data: bytes, kind: Kind) -> bytes | None:
    """Return the text without its outermost escapes, in small letters; None where it holds none."""
    plain, count = _ESCAPE[kind].subn(_meant, data)
    return plain.lower() if count else None


def back(data: bytes, spans: Iterable[Span], kind: Kind) -> list[Span]:
    """Return where spans of what ``unescape`` made of ``data`` come from."""
    starts, ends, position = array("L"), array("L"), 0
    for match in _ESCAPE[kind].finditer(data):
        _keep(starts, ends, position, match.start())
        size = len(_meant(match))
        starts.extend([match.start()] * size)
        ends.extend([match.end()] * size)
        position = match.end()
    _keep(starts, ends, position, len(data))
    return [(starts[start], ends[end - 1]) for start, end in spans]


def _keep(starts: array[int], ends: array[int], start: int, end: int) -> None:
    starts.extend(range(start, end))
    ends.extend(range(start + 1, end + 1))


def _meant(match: re.Match[bytes]) -> bytes:
    kind, found = str(match.lastgroup), match[match.lastgroup or 0]
    match kind:
        case "percent" | "byte":
            return bytes.fromhex(found.decode())
        case "sign":
            return _SIGNS.get(found, found)
        case "name":
            return _NAMES[found]
        case "low":
            code = 0x10000 + ((int(match["high"], 16) - 0xD800) << 10) + int(found, 16) - 0xDC00
        case _:
            code = int(found, 10 if kind == "decimal" else 16)
    return chr(code).encode("utf-8", "surrogatepass") if code <= _LAST_CODE else match[0]
