"""Eight ways to spell a secret, written apart from those of the product that they test."""

import base64
import html
import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

PIECE: Final = 8


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
    """Yield every piece of eight characters of each spelling, with the spelling's name."""
    for name, text in spellings(secret).items():
        for at in range(len(text) - PIECE + 1):
            yield name, text[at : at + PIECE]
