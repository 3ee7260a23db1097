"""Offsets as people write them: ``-1d``, ``+2h``, ``+1w -2h``. Days and weeks are days of a local calendar. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.times import MAX_RELATIVE_DAYS
from app.domain.zones import first_instant

ALL_UNITS: Final = "smhdw"
DAY_UNITS: Final = "dw"
_EXAMPLES: Final = {ALL_UNITS: "-1d, +2h or +1w -2h", DAY_UNITS: "+3d, -1w or 0d"}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600}
_DAYS: Final = {"d": 1, "w": 7}
_TERM: Final = re.compile(r" *(?P<sign>[+-]?)(?P<count>[0-9]{1,100})(?P<unit>[smhdw])")


@dataclass(frozen=True, slots=True)
class Offset:
    """A distance: so many days of the calendar first, then so many seconds."""

    days: int = 0
    seconds: int = 0


def parse_offset(text: Any, units: str = ALL_UNITS) -> Offset:
    """Read an offset: terms of a sign, a count and a unit, one after the other; the first may leave out its ``+``.

    Args:
        text: What was written.
        units: Those that it may name, of ``s m h d w``.

    Raises:
        ValueError: The text is no offset, or longer than 100 years; the message says what one looks like.
    """
    terms = _terms(text) if isinstance(text, str) else []
    if not terms or any(unit not in units for _, unit in terms):
        raise ValueError(f"must be an offset such as {_EXAMPLES[units]} (units {', '.join(units)})")
    days = sum(count * _DAYS[unit] for count, unit in terms if unit in _DAYS)
    seconds = sum(count * _SECONDS[unit] for count, unit in terms if unit in _SECONDS)
    if abs(days) > MAX_RELATIVE_DAYS or abs(seconds) > MAX_RELATIVE_DAYS * 86_400:
        raise ValueError("must be at most 100 years")
    return Offset(days, seconds)


def _terms(text: str) -> list[tuple[int, str]]:
    terms: list[tuple[int, str]] = []
    written, place = text.strip(), 0
    while place < len(written):
        term = _TERM.match(written, place)
        # "-1d2h" could mean two hours more or less: every term but the first says which.
        if term is None or (terms and not term["sign"]):
            return []
        terms.append((int(f"{term['sign']}{term['count']}"), term["unit"]))
        place = term.end()
    return terms


def moved(moment: datetime, offset: Offset, zone: ZoneInfo) -> datetime:
    """Return the instant that far from a moment: so many local days at the same time of day, then so many seconds.

    Args:
        moment: An instant, or a naive time on the zone's clocks.
        offset: How far to move.
        zone: The time zone whose days count.

    Raises:
        OverflowError: It leaves the calendar.
    """
    if offset.days or moment.tzinfo is None:
        local = moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None, fold=0)
        moment = first_instant(local + timedelta(days=offset.days), zone)
    return moment + timedelta(seconds=offset.seconds)
