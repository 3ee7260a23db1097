"""Eight ways to spell a secret, written apart from those of the product that they test."""

import base64
import html
import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

PIECE: Final = 8
# Eight digits of hex are in ids by chance, in so many of them.
# Spellings of bytes, which begin and end within a character: so much of these is a piece.
_OF_BYTES: Final = {"base64": PIECE, "hex": 12}


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
    """Yield every piece of eight characters of a secret in each spelling, of hex of twelve, with the spelling's name.

    Eight of the secret, however long they become: eight of a spelling may be one character of it and an escape, which
    other texts hold by chance.
    """
    for name, text in spellings(secret).items():
        if name in _OF_BYTES:
            yield from ((name, piece) for piece in _each(text, _OF_BYTES[name]))
        else:
            yield from ((name, spellings(piece)[name]) for piece in _each(secret, PIECE))


def _each(text: str, length: int) -> Iterator[str]:
    return (text[at : at + length] for at in range(len(text) - length + 1))
