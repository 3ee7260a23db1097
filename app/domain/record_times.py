"""Whether a record's Kafka timestamp can be what its producer meant. Pure."""

from datetime import UTC, datetime
from typing import Final

from app.domain.errors import PoisonError
from app.domain.times import from_seconds

ABSURD: Final = "absurd_timestamp"
NO_TIMESTAMP: Final = -1
"""Kafka's own word for none, in milliseconds."""

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_AHEAD_S: Final = 86_400.0
_HISTORY_S: Final = 86_400.0
_MISTAKES: Final = (
    (1_000.0, "seconds"),
    (0.001, "microseconds"),
    (0.000_001, "nanoseconds"),
)


def check_record_time(timestamp: float, now: float) -> None:
    """Refuse a timestamp before the year 2000, or over a day ahead; both in seconds since 1970.

    Such a record is neither old nor new: its producer's unit or clock is wrong, and an operator has to be told.

    Raises:
        PoisonError: ``absurd_timestamp``, with what was seen, and what it may have been meant for.
    """
    if _plausible(timestamp, now):
        return
    moment = from_seconds(timestamp)
    seen = "in no year that a calendar has" if moment is None else moment.isoformat(timespec="seconds")
    said = f"Kafka's timestamp is {timestamp * 1000:.0f} ms, {seen}"
    for factor, unit in _MISTAKES:
        meant = from_seconds(timestamp * factor) if _plausible(timestamp * factor, now) else None
        if meant is not None:
            said += f"; it would be {meant.isoformat(timespec='seconds')} if it was set in {unit}"
    raise PoisonError(ABSURD, said)


def is_too_old(timestamp: float | None, now: float, max_age: float) -> bool:
    """Tell whether a record that is read now is passed over: it is older than so many seconds."""
    return timestamp is not None and now - timestamp > max_age


def is_observed(timestamp: float | None, now: float) -> bool:
    """Tell whether a record's age says how fast it is read; older than a day it is history that is read in."""
    return timestamp is not None and now - timestamp <= _HISTORY_S


def _plausible(timestamp: float, now: float) -> bool:
    return _EARLIEST <= timestamp <= now + _AHEAD_S
