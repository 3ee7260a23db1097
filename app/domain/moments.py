"""Moments as systems send them and businesses mean them: what ``delay`` waits for. Pure."""

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.schedules import WEEKDAYS
from app.domain.times import EPOCH, read_time
from app.domain.zones import first_instant

# Ten digits and thirteen are 2001-09-09 to 2286-11-20, in seconds and in milliseconds. Any other number could be too
# many things: a compact date, an hour of one, a time in another unit, an id, a 0 for "never".
_SECONDS_DIGITS: Final = 10
_MILLISECONDS_DIGITS: Final = 13
_NUMBER: Final = re.compile(r"(?P<whole>-?[0-9]+)(?:\.(?P<fraction>[0-9]{1,12}))?\Z")
_CLOCK: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z")
EVERY_DAY: Final = frozenset(range(7))
_NO_DAYS: Final = f"must be days such as mon-fri, or a list of {', '.join(WEEKDAYS)}"


def read_moment(value: Any) -> datetime:
    """Read a time: ISO 8601 with or without zone, a date (its midnight), Unix seconds or milliseconds.

    Returns:
        An aware datetime, or a naive one where the text names no zone.

    Raises:
        ValueError: The value is no time, or a number that could be several things; the message says what it may be.
    """
    text = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    if number := _NUMBER.match(text):
        return _from_unix(number["whole"], number["fraction"] or "")
    written = read_time(text)
    if written is None:
        raise ValueError("must be a time: ISO 8601 such as 2026-03-01T09:30:00+02:00 or 2026-03-01, or a Unix time")
    moment, nanoseconds = written
    return moment + timedelta(microseconds=nanoseconds // 1000)


def _from_unix(whole: str, fraction: str) -> datetime:
    if whole[0] not in "-0" and len(whole) == _SECONDS_DIGITS:
        return EPOCH + timedelta(seconds=int(whole), microseconds=int(fraction[:6].ljust(6, "0")))
    if whole[0] not in "-0" and len(whole) == _MILLISECONDS_DIGITS:
        return EPOCH + timedelta(milliseconds=int(whole), microseconds=int(fraction[:3].ljust(3, "0")))
    raise ValueError("must be, where it is a number, Unix seconds (10 digits) or milliseconds (13): 2001-09 to 2286-11")


def parse_clock(value: Any) -> time:
    """Read a time of day, ``HH:MM``.

    Raises:
        ValueError: The value is no time of day.
    """
    if not isinstance(value, str) or not _CLOCK.match(value):
        raise ValueError("must be a time of day such as 09:00")
    return time.fromisoformat(value)


def parse_days(value: Any) -> frozenset[int]:
    """Read days of the week, 0 is Monday: ``mon-fri``, ``mon,wed,fri``, or a list of such; a range may pass Sunday.

    A list may be the text that a template makes of it: ``["mon", "tue"]``.

    Raises:
        ValueError: The value names no days.
    """
    parts = _parts(value) if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts:
        raise ValueError(_NO_DAYS)
    return frozenset(day for part in parts for day in _days_of(part))


def _parts(text: str) -> list[str]:
    if text.startswith("[") and text.endswith("]"):
        return [part.strip().strip("'\"") for part in text[1:-1].split(",")]
    return text.split(",")


def _days_of(part: Any) -> Iterator[int]:
    names = part.strip().lower().split("-") if isinstance(part, str) else []
    if not 1 <= len(names) <= 2 or any(name.strip() not in WEEKDAYS for name in names):  # noqa: PLR2004 - a range has two ends
        raise ValueError(_NO_DAYS)
    first, last = WEEKDAYS.index(names[0].strip()), WEEKDAYS.index(names[-1].strip())
    for number in range((last - first) % 7 + 1):
        yield (first + number) % 7


def next_open(moment: datetime, now: datetime, at: time | None, days: frozenset[int], zone: ZoneInfo) -> datetime:
    """Return when to go on for a moment: where it has passed, the first open instant from now on.

    Every instant is open where there is neither ``at`` nor a day that is not of ``days``: it is the moment itself then.
    """
    if at is None and days == EVERY_DAY:
        return moment
    return first_open(max(moment, now), at, days, zone)


def first_open(moment: datetime, at: time | None, days: frozenset[int], zone: ZoneInfo) -> datetime:
    """Return the first instant, at or after one, whose local day is of ``days`` and whose local time is ``at``.

    Without ``at``: the instant itself where its day is of ``days``, else the beginning of the next such day. A time
    that the clocks skip is the next minute that exists; of one they pass twice only the first pass counts.
    """
    local = moment.astimezone(zone)
    if at is None and local.weekday() in days:
        return moment
    days_from = (local.date() + timedelta(days=number) for number in count())
    openings = (
        first_instant(datetime.combine(day, at or time.min), zone) for day in days_from if day.weekday() in days
    )
    # Looked at again, because the minute after a gap can be on another day.
    return next(found for found in openings if found >= moment and found.astimezone(zone).weekday() in days)
