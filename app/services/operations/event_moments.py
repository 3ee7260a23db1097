"""When matchers can have read an event: nothing records it, so it is told by what is known beside the event's own time.

A row of the log that the event has tells it exactly. Else there is the time that the record bears, which its producer
sets: replays and backfills keep old times. But a partition keeps its records in the order in which they came, so a
record came no earlier than those before it, and they bear times too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domain.record_times import is_too_old
from app.domain.times import from_seconds
from app.ports.event_topics import TopicPlace

# Producers' clocks differ, and their batches overtake one another.
_DISORDER: Final = timedelta(minutes=1)


class NewestBefore:
    """Tells the newest time of the records before one in its partition, as far as they were read.

    Args:
        now: What is later than this is a wrong clock, and shows nothing.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self._newest: dict[TopicPlace, float] = {}

    def note(self, place: TopicPlace, timestamp: float | None) -> float | None:
        """Take a partition's next record, and return the newest time of those before it; None where none is known."""
        before = self._newest.get(place)
        if timestamp is not None and timestamp <= self._now:
            self._newest[place] = timestamp if before is None else max(before, timestamp)
        return before


@dataclass(frozen=True, slots=True)
class Reading:
    """When matchers read an event.

    Attributes:
        at: As of when it is judged: they did not read it earlier, nor later where that is ``told``.
        told: By a row of the event.
        out_of_order: ``at`` is when a record before it came: its own time is older.
        stamp: Its own time in Kafka.
        now: The time.
    """

    at: datetime
    told: bool
    out_of_order: bool
    stamp: float | None
    now: datetime

    @property
    def age(self) -> float:
        """Seconds since it was read, or at most so many where that is not told."""
        return (self.now - self.at).total_seconds()

    def was_too_old(self, max_age: float) -> bool:
        """Tell whether matchers passed it over for its age, whenever they read it: what has a row they did not."""
        return not self.told and is_too_old(self.stamp, self.at.timestamp(), max_age)

    def may_have_been_too_old(self, max_age: float) -> bool:
        """Tell whether they passed it over unless they read it some time ago."""
        return not self.told and is_too_old(self.stamp, self.now.timestamp(), max_age)


def reading_of(stamp: float | None, newest_before: float | None, rows: Collection[datetime], now: datetime) -> Reading:
    """Say when a record was read.

    Args:
        stamp: Its time in Kafka.
        newest_before: The newest time of the records before it in its partition.
        rows: Times of the event's rows: all workflows are matched at once, so the first tells.
        now: The time.
    """
    if rows:
        return Reading(min(rows), told=True, out_of_order=False, stamp=stamp, now=now)
    at, before = from_seconds(stamp) or now, from_seconds(newest_before)
    if before is not None and before - at > _DISORDER:
        return Reading(before, told=False, out_of_order=True, stamp=stamp, now=now)
    return Reading(at, told=False, out_of_order=False, stamp=stamp, now=now)
