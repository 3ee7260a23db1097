"""Undoing escapes in a text, of all kinds and however they are mixed; and the way back to the text.

Percent-encoding, backslashes of JSON and other languages, HTML's entities may be mixed. Others come one at a time,
and where there is much of them: quoted-printable, lists of bytes, characters set apart, lines, NUL between letters,
letters that are others in another shape. Works on bytes in small letters.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable
from typing import Final, Literal

Span = tuple[int, int]
Kind = Literal[
    "any", "percent", "backslash", "entity", "quoted", "hexadecimals", "decimals", "apart", "folded", "wide", "shaped"
]

_PERCENT: Final = rb"%(?P<percent>[0-9a-f]{2})"
_BACKSLASH: Final = (
    rb"\\(?:u(?P<high>d[89ab][0-9a-f]{2})\\u(?P<low>d[c-f][0-9a-f]{2})|u0000(?P<long>[0-9a-f]{4})"
    rb"|u(?P<unit>[0-9a-f]{4})|u\{(?P<code>[0-9a-f]{1,6})\}|x(?P<byte>[0-9a-f]{2})(?:[,;\s\"']{1,8}(?=\\x))?"
    rb"|(?P<octal>[0-3][0-7]{2})|(?P<sign>[\\/\"'bfnrt]))"
)
_ENTITY: Final = (
    rb"&(?:(?:\#x(?P<hex>[0-9a-f]{1,6})|\#(?P<decimal>[0-9]{1,7}))(?:;|[ ](?=&\#))?"
    rb"|(?P<name>amp|lt|gt|quot|apos|sol|plus|num|equals|percnt);)"
)
_QUOTED: Final = rb"=(?:(?P<quoted>[0-9a-f]{2})|(?P<soft>\r?\n))"
_HEXADECIMALS: Final = rb"0x(?P<listed>[0-9a-f]{2})(?:[,;\s\"']{1,8}(?=0x))?"
_DECIMALS: Final = rb"(?<![0-9a-z])(?P<number>[0-9]{1,3})(?:\s?[,;]\s{0,8}(?=[0-9])|(?![0-9a-z]))"
_CHARACTER: Final = rb"[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
_BETWEEN: Final = rb"[\"']?, ?[\"']?|[ \t.:;|_/-]|\r?\n|\\n|\xe2\x80\x8b"
_APART: Final = rb"(?P<kept>" + _CHARACTER + rb")(?:" + _BETWEEN + rb")"
_APART_RUN: Final = re.compile(rb"(?:[^\s.,:;|_/\\\"'-](?:" + _BETWEEN + rb")){4}")
_FOLD: Final = rb"(?:\r?\n|\\r|\\n)[ \t]*"
# What a text holds that is escaped in one of the ways that are undone one at a time: each begins with a literal.
_HINT: Final[dict[Kind, re.Pattern[bytes]]] = {
    "quoted": re.compile(rb"=[0-9a-f]{2}|=\r?\n"),
    "hexadecimals": re.compile(rb"0x[0-9a-f]{2}[,;\s\"']{1,8}0x"),
    "folded": re.compile(rb"\n[a-z0-9+/_-]{2,19}\r?\n|\\n[a-z0-9+/_-]{2,19}\\[rn]"),
    "wide": re.compile(rb"\x00"),
}
_RUN: Final = 7
_LISTING: Final = (b"," * _RUN, b";" * _RUN)
_NOT_LISTING: Final = b"0123456789 \t\r\n"
_SHAPED: Final = (b"\xef\xbc", b"\xef\xbd", b"\xf0\x9d")
# What sets characters apart begins with one of these, by how far it is from one character to the next.
_SEPARATORS: Final = {2: b" \t\n-.,:;|_/", 3: b",\r\\", 4: b"\xe2\"'", 5: b"\"'"}
_SIGN: Final[dict[Kind, bytes]] = {"percent": b"%", "backslash": b"\\", "entity": b"&"}
_ESCAPE: Final[dict[Kind, re.Pattern[bytes]]] = {
    "any": re.compile(b"|".join((_PERCENT, _BACKSLASH, _ENTITY))),
    "percent": re.compile(_PERCENT),
    "backslash": re.compile(_BACKSLASH),
    "entity": re.compile(_ENTITY),
    "quoted": re.compile(_QUOTED),
    "hexadecimals": re.compile(_HEXADECIMALS),
    "decimals": re.compile(_DECIMALS),
    "apart": re.compile(_APART),
    "folded": re.compile(rb"(?P<nothing>" + _FOLD + rb")"),
    "wide": re.compile(rb"(?P<nothing>\x00)"),
    "shaped": re.compile(rb"(?P<shape>[\xc2-\xf4][\x80-\xbf]+)"),
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
_BYTES: Final = 256
_LAST_CODE: Final = 0x10FFFF


def kinds_in(data: bytes) -> tuple[Kind, ...]:
    """Return how a text may be escaped: in any way, and where there are several in each alone.

    A ``%de`` in what HTML has escaped may be just that.
    """
    seen = [kind for kind, sign in _SIGN.items() if sign in data]
    return ("any", *(seen if len(seen) > 1 else ())) if seen else ()


def rare_kinds_in(data: bytes) -> list[Kind]:
    """Return in which of the ways that are undone by themselves a text is escaped."""
    found = [kind for kind, hint in _HINT.items() if hint.search(data)]
    bare = data.translate(None, _NOT_LISTING)
    if any(listing in bare for listing in _LISTING):
        found.append("decimals")
    if any(lead in data for lead in _SHAPED):
        found.append("shaped")
    return [*found, "apart"] if _is_set_apart(data) else found


def _is_set_apart(data: bytes) -> bool:
    """Tell whether the same stands between characters, several times in a row."""
    for step, separators in _SEPARATORS.items():
        for part in (data[phase::step] for phase in range(step)):
            if any(part.find(bytes((one,)) * _RUN) >= 0 for one in separators) and _APART_RUN.search(data):
                return True
    return False


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
        case "percent" | "byte" | "quoted" | "listed":
            return bytes.fromhex(found.decode())
        case "kept" | "soft" | "nothing" | "shape" | "octal" | "number":
            return _rare(kind, found)
        case "sign":
            return _SIGNS.get(found, found)
        case "name":
            return _NAMES[found]
        case "low":
            code = 0x10000 + ((int(match["high"], 16) - 0xD800) << 10) + int(found, 16) - 0xDC00
        case _:
            code = int(found, 10 if kind == "decimal" else 16)
    return chr(code).encode("utf-8", "surrogatepass") if code <= _LAST_CODE else match[0]


def _rare(kind: str, found: bytes) -> bytes:
    match kind:
        case "octal" | "number":
            value = int(found, 8 if kind == "octal" else 10)
            return bytes((value,)) if value < _BYTES else found
        case "shape":
            return unicodedata.normalize("NFKC", found.decode("utf-8", "replace")).encode("utf-8", "replace")
        case _:
            return found if kind == "kept" else b""
