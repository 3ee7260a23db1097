"""Calendar days: ``{"today": "+3d", "timezone": "America/Sao_Paulo"}`` as the value of a condition. Pure.

Compared are days on the calendar of the zone (UTC if left out): the day so many days from today, and the field's. Of an
instant that is the day it falls on there; a date, and a time that names no zone, is on the day that it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.offsets import DAY_UNITS, parse_offset
from app.domain.reasons import Comparison, Outcome, mismatches
from app.domain.times import read_time
from app.domain.zones import zone_named

_KEYS: Final = frozenset({"today", "timezone"})
_EXAMPLE: Final = '{"today": "+3d", "timezone": "America/Sao_Paulo"}'


def compile_day(
    relation: Callable[[Any, Any], bool], operand: Mapping[str, Any], *, stored: bool = False
) -> Comparison:
    """Compile the comparison of a field with a day.

    Args:
        relation: The relation that the field's day must have to the operand's.
        operand: As the module describes.
        stored: It was saved (see ``zones``).

    Raises:
        ValueError: The operand is no day; the message says what is wrong in it.
    """
    days, zone = _read(operand, stored=stored)
    mismatch = mismatches("a day")

    def compare(actual: Any, now: datetime) -> Outcome:
        if not isinstance(actual, str):
            return False, mismatch(actual)
        day = _local_day(actual, zone)
        if day is None:
            return False, "the text is no ISO 8601 time"
        wanted = _day_of(now, zone).toordinal() + days
        wanted = max(date.min.toordinal(), min(wanted, date.max.toordinal()))
        compared = f"compared as days, {day} with {date.fromordinal(wanted)} in {zone.key}"
        return relation(day.toordinal(), wanted), compared

    return compare


def _read(operand: Mapping[str, Any], *, stored: bool) -> tuple[int, ZoneInfo]:
    if operand.keys() - _KEYS:
        raise ValueError(f"must be a day such as {_EXAMPLE}, and nothing else beside it")
    try:
        days = 0 if operand["today"] is True else parse_offset(operand["today"], DAY_UNITS).days
    except ValueError as error:
        raise ValueError(f"today {error}, or true") from None
    try:
        return days, zone_named(operand.get("timezone", "UTC"), stored=stored)
    except ValueError as error:
        raise ValueError(f"timezone {error}") from None


def _local_day(text: str, zone: ZoneInfo) -> date | None:
    written = read_time(text)
    return None if written is None else _day_of(written[0], zone)


def _day_of(moment: datetime, zone: ZoneInfo) -> date:
    if moment.tzinfo is None:
        return moment.date()
    try:
        return moment.astimezone(zone).date()
    except OverflowError:  # the first or the last day of all calendars
        return moment.date()
