"""The queue's status: what is asked of Kafka and of Postgres."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller
from schemas.base import Contract


@dataclass(frozen=True, slots=True)
class Lane:
    """A topic that a role reads: the role's consumer group, and which lane the topic is ("" where it has no lanes)."""

    role: str
    group: str
    topic: str
    lane: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a group is with a topic: records that it has not committed, and where it is, all partitions together."""

    waiting: int
    at: int


@dataclass(frozen=True, slots=True)
class AtWork:
    """What the living processes of a role say of themselves, a few seconds ago.

    Attributes:
        processes: How many there are.
        in_flight: Records that they have fetched and not finished; None: they do not say.
        oldest_s: For how many seconds the first unfinished record of a partition has been the same, at most.
    """

    processes: int
    in_flight: int | None
    oldest_s: float | None


class OpenBreaker(Contract):
    """A destination that failed, and is left alone or tried carefully: why, and when it is tried again.

    Attributes:
        owner: Whose workflows leave it alone; none where it is looked at for all.
        until: When its breaker is half open.
        half_open: That is over: the commands that wait are let through as probes.
        waiting: Commands that wait for it; at most 1,001 are counted.
    """

    destination: str
    owner: UUID | None = None
    reason: str
    until: datetime
    half_open: bool
    waiting: int


class SetAside(Contract):
    """Records that Kafka did not take, and that wait in Postgres until it does: where to, why, and since when.

    Attributes:
        kind: ``outbox`` or ``timer``.
        reason: ``no_topic`` (create it: they are sent then), ``too_large`` or ``refused``.
        count: How many there are; at most 10,001 of each kind are counted.
    """

    kind: str
    topic: str
    reason: str
    error: str
    count: int
    oldest: datetime


class StoreStatus(Contract):
    """What waits in Postgres.

    Attributes:
        breakers: Circuit breakers that are open, or half open while commands wait for them; at most 100 are listed.
        parked: Delays, retries and commands that wait for a breaker.
        dead_letters: Open dead letters.
        outbox: Records that wait for the relay; of these three at most 100,001 each are counted.
        outbox_oldest_s: Seconds that the oldest of them has waited, without what is set aside.
        set_aside: What of outbox and timers Kafka did not take, by topic and reason; at most 100 are listed.
        failed_executions: Ended as failed, partial or timed_out within the last hour; at most 1,001 are counted.
        failed_actions: Failed steps of those.
    """

    parked: int
    dead_letters: int
    outbox: int
    outbox_oldest_s: float
    failed_executions: int
    failed_actions: int
    breakers: list[OpenBreaker]
    set_aside: list[SetAside]


class OwnStatus(Contract):
    """What waits in Postgres of one user's workflows.

    Attributes:
        parked: Delays, retries and commands that wait for a breaker; at most 10,001 are counted.
        failed_executions: Ended as failed, partial or timed_out within the last hour; at most 1,001 are counted.
        failed_actions: Failed steps of those.
    """

    parked: int
    failed_executions: int
    failed_actions: int


@dataclass(frozen=True, slots=True)
class OwnerMark:
    """What is another whenever something has changed of what ``OwnStatus`` counts.

    Attributes:
        newest_failure: When the newest of those that failed was matched.
    """

    parked: int
    failed_executions: int
    newest_failure: datetime | None


class DepthSource(Protocol):
    """Knows how far consumer groups are behind."""

    async def depths(self, lanes: Sequence[Lane]) -> Mapping[str, int]:
        """Return for each lane's topic the records that its group has not committed.

        Raises:
            UnreachableError: Kafka does not answer.
        """

    async def progress(self, lanes: Sequence[Lane]) -> Mapping[str, Progress]:
        """Return for each lane's topic how far its group is with it.

        Raises:
            UnreachableError: Kafka does not answer.
        """


@dataclass(frozen=True, slots=True)
class RecentRuns:
    """How executions went that were matched within five minutes; what did not run is none.

    Attributes:
        per_minute: How many a minute.
        success_rate: Those with status success or stopped, as a share of all; 1 without any.
        seconds: Average time from matching to the end of the last step; 0 without any.
    """

    per_minute: float
    success_rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkflowCounts:
    """Workflows ever created, deleted ones included, and those that are active."""

    created: int
    active: int


class StatusStore(Protocol):
    """Knows what waits in Postgres."""

    async def status(self) -> StoreStatus:
        """Count it.

        Raises:
            UnreachableError: Postgres does not answer.
        """

    async def at_work(self) -> Mapping[str, AtWork]:
        """Return what each role's living processes say of themselves.

        Raises:
            UnreachableError: Postgres does not answer.
        """

    async def own(self, caller: Caller) -> OwnStatus:
        """Count what is of the caller's workflows.

        Raises:
            UnreachableError: Postgres does not answer.
        """

    async def marks(self, owners: Collection[UUID]) -> Mapping[UUID, OwnerMark]:
        """Return each owner's mark; it is no caller's to see.

        Raises:
            UnreachableError: Postgres does not answer.
        """

    async def workflows(self) -> WorkflowCounts:
        """Count workflows.

        Raises:
            UnreachableError: Postgres does not answer.
        """

    async def recent(self) -> RecentRuns:
        """Tell how executions went of late.

        Raises:
            UnreachableError: Postgres does not answer.
        """
