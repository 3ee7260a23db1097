"""Durations as people write them: ``90`` (seconds), ``15m``, ``2 hours``, ``3 days``, ``1w``, ISO 8601 ``P1DT2H``."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

MAX_DURATION: Final = timedelta(days=366)
_TOO_LONG: Final = f"must be at most {MAX_DURATION.days} days"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WORDS: Final = re.compile(
    r"(?P<count>[0-9]{1,100}(?:\.[0-9]{1,3})?) ?"
    r"(?P<unit>s|m|h|d|w|secs?|seconds?|mins?|minutes?|hours?|days?|weeks?)?\Z"
)
_ISO: Final = re.compile(
    r"P(?:(?P<w>[0-9]{1,100})W)?(?:(?P<d>[0-9]{1,100})D)?"
    r"(?:T(?:(?P<h>[0-9]{1,100})H)?(?:(?P<m>[0-9]{1,100})M)?(?:(?P<s>[0-9]{1,100})S)?)?\Z"
)


def parse_duration(value: Any) -> timedelta:
    """Read a duration; a bare number is seconds. Years and months have no fixed length, and are refused.

    Raises:
        ValueError: The value is no duration, or longer than 366 days; the message says what one looks like.
    """
    if isinstance(value, (int, float)) and MAX_DURATION.total_seconds() < value:
        raise ValueError(_TOO_LONG)
    found = _read(str(value).strip()) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    if found is None:
        raise ValueError("must be a duration such as 90 (seconds), 15m, 2h, 3 days, 1w or PT2H")
    if found > MAX_DURATION.total_seconds():
        raise ValueError(_TOO_LONG)
    return timedelta(seconds=found)


def _read(text: str) -> float | None:
    if words := _WORDS.match(text.lower()):
        return float(words["count"]) * _UNITS[(words["unit"] or "s")[0]]
    iso = _ISO.match(text)
    if iso is None or not any(iso.groupdict().values()):
        return None
    return sum(int(count) * _UNITS[unit] for unit, count in iso.groupdict().items() if count)


def is_for_some_time(config: Mapping[str, Any]) -> bool:
    """Tell whether a wait is for some time, whatever any clock says, rather than until a moment."""
    return config.get("duration") is not None and not any(config.get(name) for name in ("offset", "at", "days"))
