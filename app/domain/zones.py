"""Local time in IANA zones. Pure.

Where the clocks go forward over a local time, it is the next minute that exists; where they go back over it, its first
pass.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

_MINUTE: Final = timedelta(minutes=1)
# Files of the zone database that are no places: the zone of whichever machine it is, and none at all.
_NO_PLACES: Final = frozenset({"localtime", "Factory"})


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_named(name: Any, *, stored: bool = False) -> ZoneInfo:
    """Return the IANA zone of a name.

    Args:
        name: A zone's name, such as ``Europe/Berlin``.
        stored: It was saved, maybe when ``localtime`` and ``Factory`` were taken too.

    Raises:
        ValueError: There is no such zone; the message says what one looks like.
    """
    if not isinstance(name, str) or name not in _names() or (name in _NO_PLACES and not stored):
        raise ValueError("must be an IANA time zone such as Europe/Berlin")
    return ZoneInfo(name)


def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return when a local time is, in UTC; the first of two, or the next minute that there is.

    Args:
        local: A naive local time.
        zone: The zone whose clocks show it.

    Raises:
        OverflowError: It is at the end of the calendar.
    """
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(fold=0):
        return instant
    return _end_of_gap(local.replace(tzinfo=zone, second=0, microsecond=0), zone)


def _end_of_gap(local: datetime, zone: ZoneInfo) -> datetime:
    # Read with the offset before the gap the time lies after it, and with the offset after the gap, before it.
    before, after = local.replace(fold=1).astimezone(UTC), local.replace(fold=0).astimezone(UTC)
    offset = after.astimezone(zone).utcoffset()
    while after - before > _MINUTE:
        middle = before + (after - before) // _MINUTE // 2 * _MINUTE
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
