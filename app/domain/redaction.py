"""Blots secrets out of what is kept: results, errors, log lines. A destination may well send back what it was sent."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
# So many characters of a secret at the end of a text that was cut are blotted out as well.
MIN_REMAINDER: Final = 4
# What JSON writers escape beyond need: none, PHP's the slash, Go's and Java's what HTML could trip over.
_JSON_EXTRAS: Final = ("", "/", "<>&", "<>&='")
_URL_SAFE: Final = "/:@!$&'()*+,;=-._~?"


class Redactor:
    """Replaces secrets by ``***``, in every spelling in which they travel.

    Those are: percent-encoded, in JSON, in HTML, in base64, in capitals, with white space squeezed.

    Args:
        values: The secrets.
    """

    __slots__ = ("_pattern", "_spellings")

    def __init__(self, values: Iterable[str]) -> None:
        spellings = {spelling for value in values for spelling in _spellings(value)}
        self._spellings = sorted((one.casefold() for one in spellings), key=len, reverse=True)
        parts = sorted(map(re.escape, spellings), key=len, reverse=True)
        self._pattern = re.compile("|".join(parts), re.IGNORECASE) if parts else None

    def finds(self, text: str) -> bool:
        """Tell whether a secret is in a text."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def text(self, text: str) -> str:
        """Return the text without secrets, nor the beginning of one at its end."""
        if self._pattern is None:
            return text
        clean = self._pattern.sub(MASK, text)
        kept = self._remainder_at(clean)
        return clean if kept is None else clean[:kept] + MASK

    def value(self, value: Any) -> Any:
        """Return a JSON value without secrets in its texts and keys."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(member) for key, member in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(member) for member in value]
        return value

    def _remainder_at(self, text: str) -> int | None:
        """Return where the beginning of a secret starts that the text ends with: what a cut has left of it."""
        found = []
        for spelling in self._spellings:
            at = max(0, len(text) - len(spelling))
            tail = text[at:].casefold()
            start = tail.find(spelling[:MIN_REMAINDER])
            while start >= 0 and not spelling.startswith(tail[start:]):
                start = tail.find(spelling[:MIN_REMAINDER], start + 1)
            if start >= 0:
                found.append(at + start)
        return min(found, default=None)


NOTHING: Final = Redactor(())


@lru_cache(maxsize=256)
def redactor_of(values: frozenset[str]) -> Redactor:
    """Return the redactor of some secrets, made once."""
    return Redactor(values)


def _in_json(value: str, extra: str, *, ascii_only: bool) -> str:
    text = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
    return "".join(("\\/" if one == "/" else f"\\u{ord(one):04x}") if one in extra else one for one in text)


def _spellings(value: str) -> set[str]:
    data = value.encode()
    encoded = {base64.b64encode(data).decode().rstrip("="), base64.urlsafe_b64encode(data).decode().rstrip("=")}
    percent = {quote(value, safe=""), quote(value, safe=_URL_SAFE), quote(value), quote_plus(value)}
    escaped = {_in_json(value, extra, ascii_only=only) for extra in _JSON_EXTRAS for only in (True, False)}
    escaped |= {html.escape(value), html.escape(value).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}
    return {one for one in {value, " ".join(value.split()), *encoded, *percent, *escaped} if len(one) > len(MASK)}
