"""Integers over 64 bits in JSON: our parser reads them as the nearest float, so an id would name another customer.

They are refused where JSON comes in, with a word on what to do instead. What is already parsed no longer tells, so
this looks at the bytes; all but a few documents are cleared by one pass that Python does in C.
"""

import re
from typing import Final

_LEAST: Final = -(2**63)
_MOST: Final = 2**64 - 1
_DIGITS_OF_MOST: Final = len(str(_MOST))
_ZEROED: Final = bytes.maketrans(b"123456789", b"000000000")
# -2**63 has 19 digits, 2**64 has 20: what has no 19 digits in a row holds neither, nor anything beyond them.
_RUN: Final = b"0" * len(str(2**63))
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?', re.DOTALL)
_SHOWN: Final = 40


def over_64_bits(value: bytes) -> str | None:
    """Say which integer of a JSON document is under -2**63 or over 2**64 - 1, and what to write; None: all can be kept.

    Args:
        value: A JSON value.
    """
    if _RUN not in value.translate(_ZEROED):
        return None
    for token in _TOKEN.finditer(value):
        literal = token.group()
        if literal.removeprefix(b"-").isdigit() and not fits_64_bits(literal):
            return too_long_text(literal.decode())
    return None


def too_long_text(literal: str) -> str:
    """Say what is wrong with an integer over 64 bits."""
    shown = literal[:_SHOWN] + ("…" if len(literal) > _SHOWN else "")
    return f"{shown} is an integer over 64 bits; write it as a string"


def fits_64_bits(literal: bytes) -> bool:
    """Tell whether an integer can be kept."""
    # By length first: Python itself refuses to read some thousand digits.
    return len(literal) <= _DIGITS_OF_MOST and _LEAST <= int(literal) <= _MOST
