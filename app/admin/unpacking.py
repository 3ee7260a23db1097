"""Unpacks bodies by their Content-Encoding, piece by piece, and never into more than is asked for.

aiohttp could, but for a body that ends too early it lets the reader wait for the rest.
"""

import zlib
from typing import Final

ENCODINGS: Final = ("", "identity", "gzip", "deflate")
_GZIP: Final = 16 + zlib.MAX_WBITS


class BrokenError(Exception):
    """The body is not packed as it says, or ends too early."""


class Unpacker:
    """Unpacks one body.

    Args:
        encoding: One of ``ENCODINGS``.
    """

    def __init__(self, encoding: str) -> None:
        self._packed = encoding in {"gzip", "deflate"}
        self._inflate = zlib.decompressobj(_GZIP) if encoding == "gzip" else None

    def feed(self, piece: bytes, most: int) -> bytes:
        """Return what a piece unpacks to: all of it, or more than ``most`` bytes.

        Raises:
            BrokenError: It is no part of such a body.
        """
        if not self._packed:
            return piece
        if self._inflate is None:
            # "deflate" is zlib's format (RFC 9110, 8.4.1.2), but there are senders who leave its frame out.
            has_frame = piece[0] & 0x0F == zlib.DEFLATED
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS if has_frame else -zlib.MAX_WBITS)
        try:
            unpacked = self._inflate.decompress(piece, most + 1)
        except zlib.error:
            raise BrokenError from None
        if self._inflate.unused_data:
            raise BrokenError
        return unpacked

    def end(self) -> None:
        """Note that there are no more pieces.

        Raises:
            BrokenError: There should be.
        """
        if self._packed and (self._inflate is None or not self._inflate.eof):
            raise BrokenError
