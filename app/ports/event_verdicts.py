"""What became of events, as Postgres tells it: rows of the log, what waits, dead letters, workflows as they were."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.ports.event_topics import TopicPlace


@dataclass(frozen=True, slots=True)
class KnownWorkflow:
    """A workflow as it is now."""

    id: UUID
    name: str
    trigger_type: str
    active: bool
    created_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """A row of the log; ``verdicts`` only of one that did not run, and None where they are too large."""

    id: UUID
    workflow_id: UUID
    event_id: str
    version: int
    attempt: int
    status: str
    conditions_met: bool
    error: str | None
    executed_at: datetime
    verdicts: Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """An execution that waits: for what, and until when; None: its time is over, and it goes on in its turn."""

    reason: str
    goes_on: datetime | None


class Moment(NamedTuple):
    """A workflow at a time."""

    workflow_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class InForce:
    """Which revision of a workflow there was at a time.

    Attributes:
        version: Its number; None: the workflow was not there yet.
        since: When it was written.
        active: Whether the workflow was active then, and not deleted.
        trigger_type: What it waited for.
        activated: When the next active one was written.
        near: Whether a revision was written so near to the time that another may have been in force.
    """

    version: int | None
    since: datetime | None
    active: bool
    trigger_type: str | None
    activated: datetime | None
    near: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter about an event.

    Attributes:
        place: Where its record was read.
        execution_id: The execution that its record is a step of, if it is one.
    """

    number: int
    place: TopicPlace
    offset: int
    event_id: str | None
    source: str | None
    reason: str
    detail: str
    role: str
    execution_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events' traces: workflows are those of these trigger types, and these beside.

    Attributes:
        events: Their sources and ids.
        since: No row of theirs is older.
    """

    types: Collection[str]
    events: Collection[tuple[str, str]]
    workflows: frozenset[UUID]
    since: datetime


@dataclass(frozen=True, slots=True)
class Traces:
    """What a caller may see of what became of events; of no more workflows than were asked for.

    Attributes:
        left_out: How many workflows there are beyond those.
    """

    workflows: Sequence[KnownWorkflow]
    left_out: int
    runs: Sequence[LoggedRun]


class TraceStore(Protocol):
    """Where traces are kept."""

    async def traces(self, caller: Caller, wanted: Wanted, most: int) -> Traces:
        """Return at most so many workflows, deleted ones too, those of rows among them; and all their rows.

        Of other workflows no row is read: very many may have waited for the same events.
        """

    async def waiting(self, caller: Caller, executions: Sequence[UUID]) -> Mapping[UUID, WaitingRun]:
        """Return those of the executions that wait."""

    async def in_force(self, caller: Caller, moments: Sequence[Moment]) -> Mapping[Moment, InForce]:
        """Return which revision each workflow had at a time."""

    async def revisions(self, caller: Caller, wanted: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], Any]:
        """Return bodies of revisions."""

    async def letters(self, event_ids: Collection[str], places: Sequence[tuple[TopicPlace, int]]) -> Sequence[Letter]:
        """Return dead letters about these events, and of records at these offsets; who asks has been checked."""
