"""Event types as they were really seen: one look at the topics' tails for all callers, made anew once in a while.

Asking never reads Kafka: what the last look found is answered at once, and where that is old a look begins behind the
answer. So there is one look in a process at most, and one in ``fresh_for`` seconds, whoever asks how often. Only what
asks first, before any look has ended, waits for it, for a few seconds.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Final

from app.domain.callers import Caller
from app.domain.errors import NotFoundError, UnreachableError
from app.domain.nearest import meant
from app.domain.times import from_seconds
from app.ports.event_topics import EventTopics, Kept, TopicPlace
from app.services.ingest.admission import Admission
from app.services.ingest.event_samples import SAMPLE_TYPES, sample_event
from app.services.operations.background import end_all, note_failure
from app.services.operations.event_bounds import MIB, Bounds, Spent
from app.services.operations.event_type_report import (
    EventTypeList,
    EventTypeView,
    FieldView,
    LookView,
    SeenSample,
    SeenView,
)
from app.services.operations.tail_look import Sample, SeenType, TailLook, merged
from app.topics import RETENTION, Topics
from schemas.event import Event

FRESH_FOR_S: Final = 30.0
_TRY_AGAIN_S: Final = 5.0
# A look that hangs, on what its bounds do not see, is broken off.
_LONGEST_LOOK_S: Final = 15.0
_FIRST_WAIT_S: Final = 3.0
_BOUNDS: Final = Bounds(seconds=3.0, bytes=8 * MIB)
# In a list; one type shows more.
_LISTED_FIELDS: Final = 50
_MOST_LISTED_FIELDS: Final = 3_000
_LISTED_SAMPLES: Final = 1
_MOST_LISTED_SAMPLES: Final = 100
_NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What looks have found.

    Attributes:
        at: When the last one ended well; None: none has.
        events: How many it took in.
        problem: Why a later one did not.
    """

    types: Mapping[str, SeenType] = field(default_factory=dict)
    kept: Mapping[TopicPlace, Kept] = field(default_factory=dict)
    at: datetime | None = None
    events: int = 0
    complete: bool = False
    left_out: int = 0
    problem: str | None = None


class EventTypes:
    """The event types there are.

    Args:
        topics: Names of the topics.
        log: The topics.
        now: The time.
        clock: Seconds, monotonic.
        bounds: What one look may take.
        fresh_for: Seconds between looks.
    """

    def __init__(
        self,
        topics: Topics,
        log: EventTopics,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
        *,
        bounds: Bounds = _BOUNDS,
        fresh_for: float = FRESH_FOR_S,
    ) -> None:
        self._topics = topics
        self._log = log
        self._now = now
        self._clock = clock
        self._bounds = bounds
        self._fresh_for = fresh_for
        self._found = Snapshot()
        self._stale_at = _NEVER
        self._look: asyncio.Task[None] | None = None

    def latest(self) -> Snapshot:
        """Return what the last look found, without waiting; where that is old, a look begins."""
        if self._look is None and self._clock() >= self._stale_at:
            # Of nobody's CPU and in nobody's trace: it is for all.
            self._look = asyncio.get_running_loop().create_task(self._looked(), name="event types", context=Context())
        return self._found

    async def listed(self, caller: Caller) -> EventTypeList:
        """Return every type that is known or was seen; values only to who may read customers."""
        found = await self._current()
        fields, samples = _MOST_LISTED_FIELDS, _MOST_LISTED_SAMPLES
        items = []
        for name in (*SAMPLE_TYPES, *sorted(found.types.keys() - set(SAMPLE_TYPES))):
            most = min(_LISTED_FIELDS, fields), min(_LISTED_SAMPLES, samples)
            view = self._view(caller, name, found, *most)
            fields -= len(view.seen.fields) if view.seen else 0
            samples -= len(view.seen.samples) if view.seen else 0
            items.append(view)
        return EventTypeList(items=items, look=_look_view(found))

    async def one(self, caller: Caller, name: str) -> EventTypeView:
        """Return one, with all that is remembered of it.

        Raises:
            NotFoundError: It is not known, and was not seen; the text names one that is perhaps meant.
        """
        found = await self._current()
        names = (*SAMPLE_TYPES, *found.types)
        if name not in names:
            raise NotFoundError(
                f"No event of that type was seen lately, and it is none that is known{meant(name, names)}"
            )
        return self._view(caller, name, found, None, None)

    async def close(self) -> None:
        """End a look that is under way."""
        if self._look is not None:
            await end_all((self._look,))

    async def _current(self) -> Snapshot:
        found = self.latest()
        if found.at is None and self._look is not None:
            await asyncio.wait((self._look,), timeout=_FIRST_WAIT_S)
        return self._found

    async def _looked(self) -> None:
        again = _TRY_AGAIN_S
        try:
            async with asyncio.timeout(_LONGEST_LOOK_S):
                self._found = await self._read()
            again = self._fresh_for
        except (UnreachableError, TimeoutError):
            self._found = replace(self._found, problem="Kafka does not answer")
        except Exception as error:  # noqa: BLE001 - noted with its traceback
            note_failure("event_types", error)
            self._found = replace(self._found, problem="The look failed; the log says why")
        finally:
            self._stale_at, self._look = self._clock() + again, None

    async def _read(self) -> Snapshot:
        old, now = self._found, self._now()
        async with self._log.open() as reader:
            kept = await reader.kept(self._topics.all_events(), None)
            if old.complete and kept == old.kept:
                return replace(old, at=now, problem=None)
            look = TailLook(SAMPLE_TYPES, Admission(self._topics), Spent(self._bounds, time.monotonic), self._now)
            await look.take(reader, kept)
        types = merged(look.types, old.types, (now - RETENTION).timestamp())
        return Snapshot(types, kept, now, look.events, look.complete, look.left_out)

    def _view(
        self, caller: Caller, name: str, found: Snapshot, most_fields: int | None, most_samples: int | None
    ) -> EventTypeView:
        known, seen = name in SAMPLE_TYPES, found.types.get(name)
        return EventTypeView(
            type=name,
            topic=self._topics.events(name),
            known=known,
            sample=_sample(name) if known else None,
            seen=_seen_view(seen, most_fields, most_samples, values=caller.may("crm:read")) if seen else None,
        )


@cache
def _sample(name: str) -> Event:
    return Event.model_validate(sample_event(name))


def _seen_view(seen: SeenType, most_fields: int | None, most_samples: int | None, *, values: bool) -> SeenView:
    fields = seen.fields.listed()
    shown = fields[:most_fields]
    return SeenView(
        last_seen=seen.last_seen,
        count=seen.count,
        fields=[
            FieldView(
                path=one.path,
                types=list(one.types),
                present=one.present,
                nullable=one.nullable,
                format=one.format,
                examples=list(one.examples) if values else [],
            )
            for one in shown
        ],
        fields_left_out=len(fields) - len(shown),
        samples=[_sample_view(one) for one in seen.samples[:most_samples]] if values else [],
    )


def _sample_view(one: Sample) -> SeenSample:
    return SeenSample(received_at=from_seconds(one.at), trimmed=one.trimmed, event=one.event)


def _look_view(found: Snapshot) -> LookView:
    return LookView(
        at=found.at,
        events=found.events,
        complete=found.complete,
        types_left_out=found.left_out,
        problem=found.problem,
    )
