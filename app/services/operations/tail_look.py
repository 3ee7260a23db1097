"""A look at the newest events of all topics: which types came, what they hold, and an event or two of each.

Events that matchers turn away are none of their type, and what somebody made up for a run by hand is nobody else's to
see; both are left out. What is remembered is bounded: types, fields of each (:mod:`app.domain.event_fields`), samples.
"""

import asyncio
import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import orjson

from app.domain.event_fields import EventFields
from app.domain.times import from_seconds
from app.ports.event_topics import EventReader, Kept, TopicPlace
from app.services.ingest.admission import Admission
from app.services.operations.event_bounds import Spent
from app.services.operations.event_verdicts import examined
from schemas.incoming import Incoming, IncomingEvent

MAX_TYPES: Final = 200
MAX_SAMPLES: Final = 3
# Of each topic, spread over its partitions; of a partition the newer ones first.
_TAIL: Final = 400
_LEAST_OF_A_PARTITION: Final = 20
_FIRST: Final = 4
_AT_A_TIME: Final = 16
# A sample as it is kept: ever less of it, until it is small enough.
_MAX_SAMPLE_BYTES: Final = 8 * 1024
_TRIMS: Final = ((200, 5, 50), (60, 2, 20), (20, 1, 5))
_MAX_LEVELS: Final = 8
_CUT: Final = "…"


@dataclass(frozen=True, slots=True)
class Sample:
    """An event as far as it is kept."""

    at: float
    trimmed: bool
    event: dict[str, Any]


@dataclass(slots=True)
class SeenType:
    """What was seen of a type; ``last`` is when its newest event came, in seconds since 1970."""

    name: str
    known: bool
    count: int = 0
    last: float = 0.0
    fields: EventFields = field(default_factory=EventFields)
    samples: list[Sample] = field(default_factory=list)

    @property
    def last_seen(self) -> datetime | None:
        """When the newest event of it came into Kafka."""
        return from_seconds(self.last) if self.last else None

    def add(self, at: float, incoming: IncomingEvent) -> None:
        """Take an event in."""
        self.count += 1
        self.last = max(self.last, at)
        self.fields.add(incoming.event.data)
        if len(self.samples) < MAX_SAMPLES or at > self.samples[-1].at:
            self.samples.append(_sample(at, incoming.raw))
            self.samples.sort(key=lambda one: one.at, reverse=True)
            del self.samples[MAX_SAMPLES:]


class TailLook:
    """One look.

    Args:
        known: The types that are taken in whatever others there are.
        admission: Tells which events matchers take.
        spent: What may be taken.
        clock: The time.
    """

    def __init__(self, known: Sequence[str], admission: Admission, spent: Spent, clock: Callable[[], datetime]) -> None:
        self._known = frozenset(known)
        self._admission = admission
        self._spent = spent
        self._clock = clock
        self._others = 0
        self._left_out: set[int] = set()
        self.types: dict[str, SeenType] = {}
        self.events = 0
        self.complete = True

    @property
    def left_out(self) -> int:
        """About how many types there was no room for."""
        return len(self._left_out)

    async def take(self, reader: EventReader, kept: Mapping[TopicPlace, Kept]) -> None:
        """Read the tails: a quarter of each, the newest, then the rest."""
        of_each = {place: _of_a_partition(place.topic, kept) for place in kept}
        lows = {place: max(one.begin, one.end - of_each[place]) for place, one in kept.items()}
        middles = {place: max(lows[place], one.end - of_each[place] // _FIRST) for place, one in kept.items()}
        await self._read(reader, {place: (middles[place], one.end) for place, one in kept.items()})
        await self._read(reader, {place: (lows[place], middles[place]) for place in kept})

    async def _read(self, reader: EventReader, spans: Mapping[TopicPlace, tuple[int, int]]) -> None:
        spans = {place: (start, end) for place, (start, end) in spans.items() if start < end}
        if not spans or self._spent.out:
            self.complete = self.complete and not spans
            return
        positions = {place: start for place, (start, _) in spans.items()}
        async for chunk in reader.read(spans):
            self._spent.add(chunk.records)
            positions |= chunk.positions
            for number, record in enumerate(chunk.records):
                if number % _AT_A_TIME == 0:
                    await asyncio.sleep(0)  # requests go on beside it
                self._add(record)
            if self._spent.out:
                break
        self.complete = self.complete and all(positions[place] >= end for place, (_, end) in spans.items())

    def _add(self, record: Incoming) -> None:
        one = examined(record, self._admission, self._clock())
        if one.poison is not None or one.incoming is None or one.incoming.event.workflowid is not None:
            return
        self.events += 1
        seen = self._type(one.incoming.event.type)
        if seen is not None:
            seen.add(record.timestamp or 0.0, one.incoming)

    def _type(self, name: str) -> SeenType | None:
        if name in self.types:
            return self.types[name]
        if name not in self._known:
            if self._others >= MAX_TYPES:
                self._left_out.add(hash(name))
                return None
            self._others += 1
        return self.types.setdefault(name, SeenType(name, name in self._known))


def merged(new: Mapping[str, SeenType], old: Mapping[str, SeenType], since: float) -> dict[str, SeenType]:
    """Return the types of a look, and of those before it what came since then: the newest, where there is no room."""
    earlier = [replace(one, count=0) for name, one in old.items() if name not in new and one.last >= since]
    room = max(0, MAX_TYPES - sum(not one.known for one in new.values()))
    newest = heapq.nlargest(room, (one for one in earlier if not one.known), key=lambda one: one.last)
    return {**new, **{one.name: one for one in (*newest, *(one for one in earlier if one.known))}}


def _of_a_partition(topic: str, kept: Mapping[TopicPlace, Kept]) -> int:
    partitions = sum(place.topic == topic for place in kept)
    return max(_LEAST_OF_A_PARTITION, _TAIL // max(1, partitions))


def _sample(at: float, event: dict[str, Any]) -> Sample:
    for chars, elements, members in _TRIMS:
        shown = _trimmed(event, chars, elements, members, _MAX_LEVELS)
        if len(orjson.dumps(shown)) <= _MAX_SAMPLE_BYTES:
            return Sample(at, trimmed=shown != event, event=shown)
    return Sample(at, trimmed=True, event={"type": event.get("type"), "data": _CUT})


def _trimmed(value: Any, chars: int, elements: int, members: int, levels: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= chars else value[:chars] + _CUT
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return _CUT
    if isinstance(value, list):
        return [_trimmed(one, chars, elements, members, levels - 1) for one in value[:elements]]
    few = list(value.items())[:members]
    return {_trimmed(key, chars, 0, 0, 0): _trimmed(one, chars, elements, members, levels - 1) for key, one in few}
