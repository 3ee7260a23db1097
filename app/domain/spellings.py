"""Spellings of a secret: how it looks in what comes back from a destination that encodes what it was sent.

What merely escapes some characters (percent-encoding, JSON, HTML) is no spelling: the text is unescaped instead,
however it was mixed (``app.domain.unescaping``). All is UTF-8 with ASCII in small letters, as searched texts are.
"""

from __future__ import annotations

import base64
import codecs
from collections.abc import Iterator
from typing import Final

# Each has all that is certain of it at every alignment: Basic authorization puts a user's name in front.
_BASE64_BITS: Final = 6
_BASE32_BITS: Final = 5
_LONG: Final = 1_024  # characters, over which the rarest spellings would take too much memory
_QUAD: Final = 4  # bytes that ascii85 takes together
_SEPARATORS: Final = (b":", b" ", b"-")
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def utf8(text: str) -> bytes:
    """Return a text's bytes; a lone surrogate, which a JSON text may hold, has some as well."""
    return text.encode("utf-8", "surrogatepass")


def spellings(value: str) -> set[bytes]:
    """Return the spellings of which a piece tells as much as a piece of the secret."""
    plain = {value, value.lower(), value.upper(), " ".join(value.split()), value.replace(" ", "+"), value[::-1]}
    plain.add(codecs.encode(value, "rot13"))
    data, backwards = utf8(value), utf8(value[::-1])
    found = {utf8(one) for one in plain} | set(_base32(data)) | set(_ascii85(data))
    found |= {data.hex().encode(), backwards.hex().encode(), data[::-1].hex().encode()}
    found |= {*_base64(data), *_base64(backwards)}
    if len(value) <= _LONG:
        found |= {twice for once in (*_utf16(value), *_aligned64(data)) for twice in _aligned64(once)}
    return {one.lower() for one in found}


def separated(value: str) -> set[bytes]:
    """Return hex of which a short piece could be anything: with something between the bytes, or of UTF-16."""
    found = {separator.join(b"%02x" % byte for byte in utf8(value)) for separator in _SEPARATORS}
    return found | {data.hex().encode() for data in _utf16(value)}


def _utf16(value: str) -> tuple[bytes, bytes]:
    return value.encode("utf-16-le", "surrogatepass"), value.encode("utf-16-be", "surrogatepass")


def _aligned64(data: bytes) -> Iterator[bytes]:
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data)
        yield encoded[_skipped(before, _BASE64_BITS) : (before + len(data)) * 8 // _BASE64_BITS]


def _base64(data: bytes) -> Iterator[bytes]:
    for certain in _aligned64(data):
        yield certain
        yield certain.translate(_URL_SAFE)
    whole = base64.b64encode(data).rstrip(b"=")
    yield whole
    yield whole.translate(_URL_SAFE)


def _ascii85(data: bytes) -> Iterator[bytes]:
    for before in range(_QUAD):
        whole = data[-before % _QUAD :]
        yield base64.a85encode(whole[: len(whole) // _QUAD * _QUAD])
    yield base64.a85encode(data)


def _base32(data: bytes) -> Iterator[bytes]:
    for before in range(5):
        encoded = base64.b32encode(bytes(before) + data)
        yield encoded[_skipped(before, _BASE32_BITS) : (before + len(data)) * 8 // _BASE32_BITS]
    yield base64.b32encode(data).rstrip(b"=")


def _skipped(before: int, bits: int) -> int:
    return -(-before * 8 // bits)
