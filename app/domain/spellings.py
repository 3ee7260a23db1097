"""Spellings of a secret: how it looks in what comes back from a destination that encodes what it was sent.

What merely escapes some characters (percent-encoding, JSON, HTML) is no spelling: the text is unescaped instead,
however it was mixed (``app.domain.unescaping``). All is UTF-8 with ASCII in small letters, as searched texts are.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Final

# Each has all that is certain of it at every alignment: Basic authorization puts a user's name in front.
_BASE64_BITS: Final = 6
_BASE32_BITS: Final = 5
_SEPARATORS: Final = (b":", b" ", b"-")
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def utf8(text: str) -> bytes:
    """Return a text's bytes; a lone surrogate, which a JSON text may hold, has some as well."""
    return text.encode("utf-8", "surrogatepass")


def spellings(value: str) -> set[bytes]:
    """Return the spellings of which a piece tells as much as a piece of the secret."""
    plain = {value, value.lower(), value.upper(), " ".join(value.split()), value.replace(" ", "+"), value[::-1]}
    data = utf8(value)
    found = {utf8(one) for one in plain} | set(_base64(data)) | set(_base32(data)) | {data.hex().encode()}
    return {one.lower() for one in found}


def separated(value: str) -> set[bytes]:
    """Return hex with something between the bytes: a short piece of it could be a time of day."""
    return {separator.join(b"%02x" % byte for byte in utf8(value)) for separator in _SEPARATORS}


def _base64(data: bytes) -> Iterator[bytes]:
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data)
        certain = encoded[_skipped(before, _BASE64_BITS) : (before + len(data)) * 8 // _BASE64_BITS]
        yield certain
        yield certain.translate(_URL_SAFE)
    whole = base64.b64encode(data).rstrip(b"=")
    yield whole
    yield whole.translate(_URL_SAFE)


def _base32(data: bytes) -> Iterator[bytes]:
    for before in range(5):
        encoded = base64.b32encode(bytes(before) + data)
        yield encoded[_skipped(before, _BASE32_BITS) : (before + len(data)) * 8 // _BASE32_BITS]
    yield base64.b32encode(data).rstrip(b"=")


def _skipped(before: int, bits: int) -> int:
    return -(-before * 8 // bits)
