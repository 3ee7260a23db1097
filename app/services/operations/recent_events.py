"""The newest events of the topics: read backwards, a little of each partition first."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from app.ports.event_topics import EventReader, EventTopics, Kept, TopicPlace
from app.services.access.cpu_budget import breathe
from app.services.operations.event_bounds import Spent
from app.services.operations.event_moments import NewestBefore
from app.services.operations.event_verdicts import Examined
from schemas.incoming import Incoming

# Of each partition at first: an event may have 256 KiB, and there may be many partitions.
_FIRST: Final = 4
_MORE: Final = 4


class Newest:
    """Collects the newest events that are wanted.

    Args:
        count: How many.
        accept: Reads a record; None where it is not wanted.
        spent: What may be taken.
        now: The time, in seconds since 1970.
    """

    def __init__(self, count: int, accept: Callable[[Incoming], Examined | None], spent: Spent, now: float) -> None:
        self._count = count
        self._accept = accept
        self._spent = spent
        self._now = now
        self._found: list[Examined] = []
        self._times: dict[tuple[TopicPlace, int], float | None] = {}
        self.complete = True

    @property
    def enough(self) -> bool:
        """Whether there are as many as are wanted."""
        return len(self._found) >= self._count

    def newest(self) -> list[Examined]:
        """Return them, newest first, each with what the records before it tell of when it came."""
        order = NewestBefore(self._now)
        before = {
            (place, offset): order.note(place, self._times[place, offset]) for place, offset in sorted(self._times)
        }
        return [replace(one, newest_before=before[one.place, one.record.offset]) for one in self._found]

    async def collect(self, reader: EventReader, places: Mapping[TopicPlace, Kept]) -> None:
        """Read partitions backwards, until each has given what is wanted, is read whole, or bounds are reached."""
        lows = {place: kept.end for place, kept in places.items()}
        given = dict.fromkeys(places, 0)
        step = _FIRST
        while not self._spent.out:
            wanting = [at for at in lows if given[at] < self._count and lows[at] > places[at].begin]
            if not wanting:
                return
            spans = {at: (max(places[at].begin, lows[at] - step), lows[at]) for at in wanting}
            async for chunk in reader.read(spans):
                self._spent.add(chunk.records)
                self._times |= {
                    (TopicPlace(one.topic, one.partition), one.offset): one.timestamp for one in chunk.records
                }
                for one in filter(None, map(self._accept, chunk.records)):
                    given[one.place] += 1
                    self._found.append(one)
                await breathe()
                if self._spent.out:
                    break
            lows |= {at: start for at, (start, _) in spans.items()}
            self._keep_newest()
            step *= _MORE
        self.complete = self.complete and all(lows[at] <= places[at].begin for at in lows if given[at] < self._count)

    def _keep_newest(self) -> None:
        self._found.sort(key=_age, reverse=True)
        del self._found[self._count :]


def home_first(
    kept: Mapping[TopicPlace, Kept], topics: EventTopics, entity: str | None
) -> tuple[Mapping[TopicPlace, Kept], Mapping[TopicPlace, Kept]]:
    """Split partitions: those that Kafka's own partitioner gives an entity, and all others; none and all without one.

    Not every producer has that partitioner, and what has no key may be anywhere: so the others count too.
    """
    if entity is None:
        return {}, kept
    counts: dict[str, int] = {}
    for place in kept:
        counts[place.topic] = counts.get(place.topic, 0) + 1
    homes = {TopicPlace(topic, topics.home(entity, count)) for topic, count in counts.items()}
    return (
        {place: one for place, one in kept.items() if place in homes},
        {place: one for place, one in kept.items() if place not in homes},
    )


def _age(one: Examined) -> tuple[float, int, int]:
    return one.record.timestamp or 0.0, one.record.partition, one.record.offset
