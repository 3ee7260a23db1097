"""One event, looked for in the topics: forwards from a moment on, some partitions at a time, as far as bounds allow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from app.ports.event_topics import EventReader, Kept, TopicPlace
from app.services.access.cpu_budget import breathe
from app.services.operations.event_bounds import Spent
from app.services.operations.event_cursor import Progress
from app.services.operations.event_moments import NewestBefore
from schemas.incoming import Incoming

# Read side by side; the cursor holds a position for each.
_AT_ONCE: Final = 8
Hit = Callable[[Incoming], bool]


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search came to.

    Attributes:
        found: The event's record. One that can be read goes before one that is a dead letter.
        newest_before: The newest time of the records before it in its partition, as far as they were read.
        progress: How far it got.
        finished: Whether everything was read.
    """

    found: Incoming | None
    newest_before: float | None
    progress: Progress
    finished: bool


class Search:
    """Looks for one event.

    Args:
        is_it: Tells whether a record is of the event.
        is_good: Tells whether it is one that matchers take; else the search goes on for one that they do.
        spent: What may be taken.
        now: The time, in seconds since 1970.
    """

    def __init__(self, is_it: Hit, is_good: Hit, spent: Spent, now: float) -> None:
        self._is_it = is_it
        self._is_good = is_good
        self._spent = spent
        self._found: Incoming | None = None
        self._newest_before: float | None = None
        self._order = NewestBefore(now)
        self._kept = 0.0

    async def run(self, reader: EventReader, places: Mapping[TopicPlace, Kept], begun: Progress) -> Searched:
        """Search the partitions in their order, from where an earlier search has got to."""
        done, positions = min(begun.done, len(places)), list(begun.positions)[:_AT_ONCE]
        self._kept = begun.kept
        while done < len(places):
            group = dict(islice(places.items(), done, done + _AT_ONCE))
            reached = await self._group(reader, group, positions)
            if self._found is not None and self._is_good(self._found):
                break
            if any(reached[place] < kept.end for place, kept in group.items()):
                return self._searched(Progress(done, list(reached.values()), self._kept), finished=False)
            done, positions = done + len(group), []
        return self._searched(Progress(done, (), self._kept), finished=True)

    def _searched(self, progress: Progress, *, finished: bool) -> Searched:
        return Searched(self._found, self._newest_before, progress, finished)

    async def _group(
        self, reader: EventReader, group: Mapping[TopicPlace, Kept], positions: Sequence[int]
    ) -> Mapping[TopicPlace, int]:
        starts = {place: min(max(kept.since, kept.begin), kept.end) for place, kept in group.items()}
        for place, at in zip(group, positions, strict=False):
            starts[place] = min(max(at, starts[place]), group[place].end)
        reached = dict(starts)
        if self._spent.out:
            return reached
        async for chunk in reader.read({place: (at, group[place].end) for place, at in starts.items()}):
            self._spent.add(chunk.records)
            self._note_what_is_gone(group, chunk.records)
            reached |= chunk.positions
            if self._look_through(chunk.records):
                break
            await breathe()
            if self._spent.out:
                break
        return reached

    def _look_through(self, records: Sequence[Incoming]) -> bool:
        """Look for the event; returns whether it is found for good."""
        for record in records:
            before = self._order.note(TopicPlace(record.topic, record.partition), record.timestamp)
            if not self._is_it(record):
                continue
            is_good = self._is_good(record)
            if self._found is None or is_good:
                self._found, self._newest_before = record, before
            if is_good:
                return True
        return False

    def _note_what_is_gone(self, group: Mapping[TopicPlace, Kept], records: Sequence[Incoming]) -> None:
        """Note from when on a partition has all it had: where its first record is asked for, older ones may be gone."""
        for record in records:
            kept = group[TopicPlace(record.topic, record.partition)]
            if record.offset == kept.begin == kept.since and kept.begin > 0:
                self._kept = max(self._kept, record.timestamp or 0.0)
