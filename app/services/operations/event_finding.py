"""Events in the topics, for people: the newest ones, and one by its source and id, each with what became of it."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from pydantic import Field

from app.domain.callers import Caller
from app.domain.errors import NotFoundError
from app.domain.times import from_seconds
from app.ports.event_topics import EventReader, EventTopics
from app.services.delivery.letter_subjects import MAX_NAMED_CHARS, about
from app.services.ingest.admission import Admission
from app.services.operations.event_bounds import Bounds, Spent
from app.services.operations.event_cursor import Progress
from app.services.operations.event_looks import Looks
from app.services.operations.event_report import EventReport
from app.services.operations.event_search import Search, Searched
from app.services.operations.event_verdicts import EventVerdicts, Examined, examined
from app.services.operations.recent_events import Newest, home_first
from app.topics import Topics
from schemas.base import Contract
from schemas.event_types import is_own_type
from schemas.incoming import Incoming

# How far back an event is looked for where nobody says since when.
LOOKED_BACK: Final = timedelta(days=1)
_PLAIN: Final = re.compile(rb"[A-Za-z0-9_.:~-]+")


class RecentEvents(Contract):
    """The newest events, newest first.

    Attributes:
        complete: False: no more could be read in the time and bytes that one look has; there may be others.
    """

    items: list[EventReport]
    complete: bool


class EventLookup(Contract):
    """What a search for one event came to.

    Attributes:
        outcome: ``not_found`` only where everything since then was read to its end; ``unfinished``: go on by
            ``next_cursor``.
        since: From when on the topics were searched: as asked, or later where they hold nothing older.
        records: How many were read this time, with ``bytes``.
        partitions: How many there are, ``partitions_done`` of which were read to their end.
    """

    outcome: Literal["found", "not_found", "unfinished"]
    said: str
    since: datetime
    event: EventReport | None = None
    next_cursor: str | None = Field(None, description="Ask again with it, and with the same source, id, since, entity")
    records: int
    bytes: int
    partitions: int
    partitions_done: int


@dataclass(frozen=True, slots=True)
class Sought:
    """One event: its CloudEvents source and id, since when it may have come, and whom it may be about."""

    source: str
    event_id: str
    since: datetime
    entity: str | None = None


class EventFinder:
    """Finds events.

    Args:
        topics: Names of the topics.
        log: The topics.
        verdicts: Says what became of events.
        clock: The time.
        bounds: What one look may take.
        looks: How many there may be at once.
    """

    def __init__(
        self,
        topics: Topics,
        log: EventTopics,
        verdicts: EventVerdicts,
        clock: Callable[[], datetime],
        *,
        bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
        looks: Looks | None = None,
    ) -> None:
        self._topics = topics
        self._log = log
        self._verdicts = verdicts
        self._clock = clock
        self._bounds = bounds
        self._looks = looks or Looks()
        self._admission = Admission(topics)

    async def recent(self, caller: Caller, event_type: str | None, entity: str | None, limit: int) -> RecentEvents:
        """Return the newest events of a type, and of an entity, with their verdicts.

        Raises:
            UnreachableError: Kafka or Postgres does not answer.
            LookingError: There are too many looks at once.
        """

        def accept(record: Incoming) -> Examined | None:
            one = self._examined(record)
            if event_type is not None and (one.incoming is None or one.incoming.event.type != event_type):
                return None
            if entity is not None and (one.incoming.entity if one.incoming else about(record).entity) != entity:
                return None
            return one

        async with self._looks.turn(caller.user_id), self._log.open() as reader:
            spent = Spent(self._bounds, time.monotonic)
            kept = await reader.kept(self._of_type(event_type), None)
            newest = Newest(limit, accept, spent, self._clock().timestamp())
            for places in home_first(kept, self._log, entity):
                if not newest.enough:
                    await newest.collect(reader, places)
            reports = await self._verdicts.of(caller, newest.newest(), await reader.matched())
        return RecentEvents(items=list(reports), complete=newest.complete)

    async def event(self, caller: Caller, sought: Sought) -> Mapping[str, Any]:
        """Return an event as it came, also one that no workflow ran for; who may see events is who calls this.

        Raises:
            NotFoundError: It is not there, is no event that can be read, or was not found in what one look may take.
            UnreachableError: Kafka does not answer.
            LookingError: There are too many looks at once.
        """
        async with self._looks.turn(caller.user_id), self._log.open() as reader:
            spent = Spent(self._bounds, time.monotonic)
            searched, partitions = await self._search(reader, sought, Progress(), spent)
        if searched.found is None:
            raise NotFoundError(_answer(searched, None, sought.since, spent, partitions).said)
        found = self._examined(searched.found)
        if found.incoming is None:
            raise NotFoundError(f"It came, but cannot be read: {found.poison}")
        if found.incoming.event.workflowid is not None and caller.role != "admin":
            raise NotFoundError("It is of a run by hand; name the execution that it started")
        return found.incoming.raw

    async def lookup(self, caller: Caller, sought: Sought, begun: Progress) -> EventLookup:
        """Find an event that came into Kafka at a moment or later, and say what became of it.

        Args:
            caller: Who asks.
            sought: The event; its entity's partitions are read first.
            begun: How far an earlier search has got.

        Raises:
            UnreachableError: Kafka or Postgres does not answer.
            LookingError: There are too many looks at once.
        """
        async with self._looks.turn(caller.user_id), self._log.open() as reader:
            spent = Spent(self._bounds, time.monotonic)
            searched, partitions = await self._search(reader, sought, begun, spent)
            report = await self._reported(caller, searched, reader)
        return _answer(searched, report, sought.since, spent, partitions)

    async def _search(self, reader: EventReader, sought: Sought, begun: Progress, spent: Spent) -> tuple[Searched, int]:
        """Search, and say of how many partitions."""
        kept = await reader.kept(self._topics.all_events(), sought.since.timestamp())
        home, others = home_first(kept, self._log, sought.entity)
        search = Search(
            Wanted(sought.source, sought.event_id, self._examined), self._is_good, spent, self._clock().timestamp()
        )
        return await search.run(reader, {**home, **others}, begun), len(kept)

    async def _reported(self, caller: Caller, searched: Searched, reader: EventReader) -> EventReport | None:
        if searched.found is None:
            return None
        one = replace(self._examined(searched.found), newest_before=searched.newest_before)
        reports = await self._verdicts.of(caller, [one], await reader.matched())
        return reports[0] if reports else None  # another user's run by hand is nobody else's to find

    def _is_good(self, record: Incoming) -> bool:
        return self._examined(record).poison is None

    def _examined(self, record: Incoming) -> Examined:
        return examined(record, self._admission, self._clock())

    def _of_type(self, event_type: str | None) -> list[str]:
        if event_type is None:
            return self._topics.all_events()
        outside = [] if is_own_type(event_type) else [self._topics.events(event_type)]
        return [*outside, self._topics.internal_events]


class Wanted:
    """Tells whether a record is of one event, also where it is a dead letter.

    Most records are passed over without being parsed: an id stands in them as it is, or with escapes in it.
    """

    def __init__(self, source: str, event_id: str, examine: Callable[[Incoming], Examined]) -> None:
        self._source = source
        self._id = event_id
        self._examine = examine
        encoded = event_id.encode()
        self._plain = encoded if _PLAIN.fullmatch(encoded) else None

    def __call__(self, record: Incoming) -> bool:
        """Tell it."""
        if self._plain is not None and not self._may_hold(record, self._plain):
            return False
        said = about(record)
        if (said.event_id, said.source) != (self._id[:MAX_NAMED_CHARS], self._source[:MAX_NAMED_CHARS]):
            return False
        incoming = self._examine(record).incoming
        return incoming is None or incoming.event.source == self._source  # what tells itself is cut short

    def _may_hold(self, record: Incoming, plain: bytes) -> bool:
        value = record.value or b""
        return plain in value or b"\\" in value or any(plain in (data or b"") for _, data in record.headers or ())


def _answer(
    searched: Searched, report: EventReport | None, since: datetime, spent: Spent, partitions: int
) -> EventLookup:
    kept = from_seconds(searched.progress.kept) if searched.progress.kept else None
    reached = max(since, kept) if kept is not None else since
    shown = reached.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    gone = "" if reached == since else ", where the oldest of what the topics still hold begins"
    outcome: Literal["found", "not_found", "unfinished"] = "not_found"
    said = f"There is no such event since {shown}{gone}."
    unfinished = not searched.finished and report is None
    if report is not None:
        outcome, said = "found", "Found."
    elif unfinished:
        outcome = "unfinished"
        said = (
            f"Not found so far: {searched.progress.done} of {partitions} partitions are read to their end since "
            f"{shown}. Ask again with next_cursor."
        )
    return EventLookup(
        outcome=outcome,
        said=said,
        since=reached,
        event=report,
        next_cursor=searched.progress.cursor() if unfinished else None,
        records=spent.records,
        bytes=spent.bytes,
        partitions=partitions,
        partitions_done=searched.progress.done,
    )
