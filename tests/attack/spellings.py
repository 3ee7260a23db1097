"""Eight ways to spell a secret, written apart from those of the product that they test."""

import base64
import html
import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

PIECE: Final = 8
# Eight digits of hex are in ids by chance, in so many of them.
_PIECE_OF_HEX: Final = 12


def spellings(secret: str) -> dict[str, str]:
    """Return a secret's spellings by name."""
    data = secret.encode()
    return {
        "plain": secret,
        "base64": base64.b64encode(data).decode(),
        "hex": data.hex(),
        "percent-encoded": quote(secret, safe=""),
        "percent-encoded twice": quote(quote(secret, safe=""), safe=""),
        "reversed": secret[::-1],
        "JSON": json.dumps(json.dumps(secret))[3:-3],
        "HTML": html.escape(secret),
    }


def pieces(secret: str) -> Iterator[tuple[str, str]]:
    """Yield every piece of eight characters of each spelling, of hex of twelve, with the spelling's name."""
    for name, text in spellings(secret).items():
        length = _PIECE_OF_HEX if name == "hex" else PIECE
        for at in range(len(text) - length + 1):
            yield name, text[at : at + length]
