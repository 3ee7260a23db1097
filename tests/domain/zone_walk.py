"""``python -m tests.domain.zone_walk``: every change of the clock in every time zone, 2020 to 2030.

Around each change the UTC minutes are walked one by one; each local minute's first instant, or the next minute's where
there is none, is when a daily run at that minute must be due.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from app.domain.schedules import Schedule, latest_due, next_due

_MINUTE: Final = timedelta(minutes=1)
_LOOK_EVERY: Final = timedelta(hours=6)
_AROUND: Final = timedelta(hours=26)
_LEAST_DAY: Final = timedelta(hours=20)


def changes(zone: ZoneInfo) -> Iterator[tuple[datetime, timedelta]]:
    """Yield the first minute after each change of a zone's offset, and by how much it changed."""
    moment, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
    while moment < end:
        before, after = offset(moment, zone), offset(moment + _LOOK_EVERY, zone)
        if before != after:
            low, high = moment, moment + _LOOK_EVERY
            while high - low > _MINUTE:
                middle = low + (high - low) // _MINUTE // 2 * _MINUTE
                low, high = (middle, high) if offset(middle, zone) == before else (low, middle)
            yield high, after - before
        moment += _LOOK_EVERY


def offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    """Return a zone's offset."""
    return moment.astimezone(zone).utcoffset() or timedelta()


def wrong_around(zone: ZoneInfo, change: datetime, jump: timedelta) -> tuple[int, list[str]]:
    """Compare every local minute that a change skips or repeats; returns how many, and what is wrong."""
    first: dict[datetime, datetime] = {}
    for number in range(2 * int(_AROUND / _MINUTE)):
        moment = change - _AROUND + number * _MINUTE
        first.setdefault(moment.astimezone(zone).replace(tzinfo=None), moment)
    begin = (change - _MINUTE).astimezone(zone).replace(tzinfo=None) - max(-jump, timedelta())
    wrong, span = [], int(abs(jump) / _MINUTE) + 4
    for number in range(-2, span):
        local = begin + number * _MINUTE
        there = local
        while there not in first:
            there += _MINUTE
        due, schedule = first[there], Schedule("daily", local.time(), zone)
        after = next_due(schedule, due)
        if (next_due(schedule, due - _MINUTE), latest_due(schedule, due)) != (due, due) or after - due < _LEAST_DAY:
            wrong.append(f"{zone.key}: {local} is due {due}, not {next_due(schedule, due - _MINUTE)}")
    return span + 2, wrong


def main() -> None:
    """Walk, and say what is wrong."""
    compared, found, names = 0, list[str](), sorted(available_timezones())
    for number, name in enumerate(names, 1):
        zone = ZoneInfo(name)
        for change, jump in changes(zone):
            count, wrong = wrong_around(zone, change, jump)
            compared += count
            found += wrong
        sys.stderr.write(f"\r{number}/{len(names)} zones")
    sys.stderr.write("\n")
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(names)} zones, {compared} local minutes compared, {len(found)} wrong\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
