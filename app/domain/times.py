"""Instants: ISO 8601 strings and relative times as whole nanoseconds since 1970 UTC, so that they compare exactly.

A string is a time only if all of it is a calendar date or a date-time in the extended format: ``2026-03-01``,
``2026-03-01T09:30``, ``2026-03-01T09:30:00.5Z``, ``2026-03-01T09:30:00+02:00`` (``+0200`` and ``+02`` too). As in
RFC 3339 a space may stand for the ``T``. Seconds may have up to nine decimals. Without an offset it is UTC; a date is
its midnight in UTC. Not times: the basic format (``20260301`` may be any number), week and ordinal dates, a bare
time of day, hour 24, second 60, and what no calendar has (30 February).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)
_READABLE_FROM: Final = datetime(1, 1, 2, tzinfo=UTC)
_READABLE_BEFORE: Final = datetime(9999, 12, 31, tzinfo=UTC)
_SECOND: Final = 1_000_000_000
_MICROSECOND: Final = 1_000
_SECONDS_PER_DAY: Final = 86_400
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": _SECONDS_PER_DAY, "w": 7 * _SECONDS_PER_DAY}
MAX_RELATIVE_DAYS: Final = 36_525

_TIME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,](?P<fraction>[0-9]{1,9}))?)?)"
    r"(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?\Z"
)
_LONGEST_TIME: Final = len("2026-03-01T09:30:00.123456789+02:00")
_SHORTEST_TIME: Final = len("2026-03-01")
_RELATIVE = re.compile(r"(?P<sign>[+-]?)(?P<count>[0-9]{1,12})(?P<unit>[smhdw])\Z")


def instant(moment: datetime) -> int:
    """Nanoseconds since 1970 UTC of an aware datetime."""
    since: timedelta = moment - EPOCH
    return (since.days * _SECONDS_PER_DAY + since.seconds) * _SECOND + since.microseconds * _MICROSECOND


def from_seconds(seconds: float | None) -> datetime | None:
    """Return the moment so many seconds since 1970 UTC; None for None, and for what no calendar has."""
    try:
        return None if seconds is None else EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None


def is_readable(moment: datetime) -> bool:
    """Tell whether rows may hold an aware moment: in any zone it is within the calendar, as the database has it."""
    return _READABLE_FROM <= moment < _READABLE_BEFORE


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Return a moment so much later, or earlier; where the calendar has no such, the end of it."""
    try:
        return moment + by
    except OverflowError:
        return _BEGINNING if by < timedelta(0) else _END


def parse_time(text: str) -> int | None:
    """Read a full ISO 8601 date or date-time (see the module) as an instant; None if the text is neither."""
    written = read_time(text)
    if written is None:
        return None
    moment, nanoseconds = written
    return instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC)) + nanoseconds


def read_time(text: str) -> tuple[datetime, int] | None:
    """Read the same as it is written: to the second, naive where it names no offset, and the nanoseconds beyond."""
    if not _SHORTEST_TIME <= len(text) <= _LONGEST_TIME or text[4] != "-":
        return None
    match = _TIME.match(text)
    if match is None:
        return None
    date, clock, fraction, zone = match.groups()
    # datetime keeps microseconds only, so the fraction is kept apart.
    whole = clock[:8] if clock and fraction else clock or "00:00"
    offset = "+00:00" if zone and zone in "Zz" else zone or ""
    try:
        moment = datetime.fromisoformat(f"{date}T{whole}{offset}")
    except ValueError:
        return None
    return moment, int(fraction.ljust(9, "0")) if fraction else 0


def parse_relative(text: str) -> int:
    """Read a distance from now such as ``-90d`` or ``+2h`` as nanoseconds; no sign means later.

    Units: ``s`` seconds, ``m`` minutes, ``h`` hours, ``d`` days of 24 hours, ``w`` weeks. At most 100 years.

    Raises:
        ValueError: The text is no such distance; the message says what one looks like.
    """
    match = _RELATIVE.match(text)
    if match is None:
        raise ValueError("must be a distance from now such as -90d or +2h (units s, m, h, d, w)")
    seconds = int(match["count"]) * _SECONDS[match["unit"]]
    if seconds > MAX_RELATIVE_DAYS * _SECONDS_PER_DAY:
        raise ValueError("must be at most 100 years from now")
    return (-seconds if match["sign"] == "-" else seconds) * _SECOND


def format_time(nanoseconds: int) -> str:
    """Write an instant as ISO 8601 in UTC, to the second; for people, so it need not be exact."""
    try:
        moment = EPOCH + timedelta(seconds=nanoseconds // _SECOND)
    except OverflowError:
        return "a time outside of the calendar"
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
