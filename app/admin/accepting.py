"""``Accept``: what the caller takes, and whether we have it (RFC 9110, 12.5.1).

Without the header, or with one that says nothing that can be read, everything is taken. The most exact range that fits
a content type counts, and its weight: ``text/csv;q=0`` refuses it though ``*/*`` is there too. Parameters of a range
beside its weight are not looked at: there is one form of each of ours.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from app.admin.problems import NotAcceptableError

# Beyond that nobody lists what they take: the rest is not looked at.
_MOST_RANGES: Final = 64
_RANGE: Final = re.compile(r"\s*([!#$%&'*+.^_`|~\w-]+)/([!#$%&'*+.^_`|~\w-]+)\s*(;.*)?", re.ASCII)
_WEIGHT: Final = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*(?:;|$)", re.IGNORECASE | re.ASCII)

Range = tuple[str, str, float]


def acceptable(headers: Iterable[str], kinds: Sequence[str]) -> str:
    """Choose among the content types that there are the one that the caller likes best; of equals the first.

    Args:
        headers: Each ``Accept`` of the request.
        kinds: Those that there are.

    Raises:
        NotAcceptableError: The caller takes none of them.
    """
    ranges = _ranges(", ".join(headers))
    if not ranges:
        return kinds[0]
    best = max(kinds, key=lambda kind: _weight(kind, ranges))
    if _weight(best, ranges) == 0:
        raise NotAcceptableError(kinds)
    return best


def _ranges(text: str) -> list[Range]:
    found: list[Range] = []
    for part in text.split(",", _MOST_RANGES)[:_MOST_RANGES]:
        match = _RANGE.fullmatch(part)
        if match is None:
            continue
        weight = _WEIGHT.search(match[3] or "")
        found.append((match[1].lower(), match[2].lower(), float(weight[1]) if weight else 1.0))
    return found


def _weight(kind: str, ranges: Sequence[Range]) -> float:
    family, _, name = kind.partition("/")
    for wanted in ((family, name), (family, "*"), ("*", "*")):
        weights = [weight for *one, weight in ranges if tuple(one) == wanted]
        if weights:
            return max(weights)
    return 0.0
