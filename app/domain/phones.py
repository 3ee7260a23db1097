"""Phone numbers in the international form of ITU-T E.164: ``+``, country code, number; at most 15 digits."""

import re
from typing import Final

_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}")
_SEPARATORS: Final = str.maketrans("", "", " \u00a0\u202f-.()")


def parse_phone(value: str) -> str | None:
    """Return the number without the separators that people write (RFC 3966, 5.1.1); None where it is no E.164 number.

    A number without ``+`` is not taken, for its country would be a guess; nor is one with ``(0)``, a prefix that is not
    dialled from abroad: without its parentheses it would be another number.
    """
    if "(0)" in value:
        return None
    digits = value.translate(_SEPARATORS)
    return digits if _E164.fullmatch(digits) else None
