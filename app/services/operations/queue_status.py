"""The queue's status (specification: ``Queue Manager.getStatus``): how deep it is, what is parked, what has failed."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.topics import LANES, OVER_QUOTA_ROLE, Topics
from schemas.base import Contract

_FRESH_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Lane:
    """A topic that a role reads: the role's consumer group, and which lane the topic is ("" where there are none)."""

    role: str
    group: str
    topic: str
    lane: str = ""


class LaneDepth(Contract):
    """Records of one topic that its role has not finished."""

    topic: str
    lane: str
    depth: int


class RoleDepth(Contract):
    """Records that one role has not finished, in all and by topic; topics without any are left out."""

    role: str
    depth: int
    topics: list[LaneDepth]


class OpenBreaker(Contract):
    """A destination that is left alone, because it failed: why, and when it is tried again.

    Attributes:
        owner: Whose workflows leave it alone; none where it is looked at for all.
        waiting: Commands that wait for it; at most 1,001 are counted.
    """

    destination: str
    owner: UUID | None = None
    reason: str
    until: datetime
    waiting: int


class SetAside(Contract):
    """Records that Kafka did not take, and that wait in Postgres until it does: where to, why, and since when.

    Attributes:
        kind: ``outbox`` or ``timer``.
        reason: ``no_topic`` (create it: they are sent then), ``too_large`` or ``refused``.
        count: At most 10,001 of each kind are counted.
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
        breakers: Circuit breakers that are not closed; at most 100 are listed.
        parked: Delays, retries and commands that wait for a breaker.
        dead_letters: Open ones.
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


class QueueStatus(StoreStatus):
    """How the installation keeps up; at most a second old.

    Attributes:
        depth: Records that some role has not finished, over all roles.
    """

    as_of: datetime
    depth: int
    roles: list[RoleDepth]


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


class QueueView(OwnStatus):
    """How the installation keeps up, as much of it as a caller may know.

    Attributes:
        counted: Whose ``parked``, ``failed_executions`` and ``failed_actions`` are counted: everybody's
            (``installation``), or the caller's own alone (``own``), who may not operate. Those have null in the fields
            about others: dead letters, outbox, breakers and what is set aside.
        depth: Records that some role has not finished, over all roles.
        outbox_oldest_s: Seconds that the oldest record of the outbox has waited for the relay.
    """

    as_of: datetime
    counted: Literal["installation", "own"]
    depth: int
    roles: list[RoleDepth]
    outbox_oldest_s: float
    dead_letters: int | None = None
    outbox: int | None = None
    breakers: list[OpenBreaker] | None = None
    set_aside: list[SetAside] | None = None


class DepthSource(Protocol):
    """Knows how far consumer groups are behind."""

    async def depths(self, lanes: Sequence[Lane]) -> Mapping[str, int]:
        """Return for each lane's topic the records that its group has not committed.

        Raises:
            UnreachableError: Kafka does not answer.
        """


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

    async def own(self, caller: Caller) -> OwnStatus:
        """Count what is of the caller's workflows.

        Raises:
            UnreachableError: Postgres does not answer.
        """

    async def workflows(self) -> WorkflowCounts:
        """Count workflows.

        Raises:
            UnreachableError: Postgres does not answer.
        """


def lanes_of(topics: Topics, families: Mapping[str, Sequence[str]]) -> list[Lane]:
    """Return every topic that a role reads.

    Args:
        topics: Names of the topics.
        families: Names of the executor roles, and the action types of each.
    """
    events = [Lane("matcher", topics.matcher_app, topic) for topic in topics.all_events()]
    actions = [
        Lane(role, f"{topics.prefix}{role}", topics.actions(action_type, lane), lane)
        for role, action_types in families.items()
        for action_type in action_types
        for lane in LANES
    ]
    waiting = Lane(OVER_QUOTA_ROLE, f"{topics.prefix}{OVER_QUOTA_ROLE}", topics.over_quota)
    read_by_sink = (topics.executions, topics.dead_letters, topics.listener_letters)
    sink = [Lane("sink", f"{topics.prefix}sink", topic) for topic in read_by_sink]
    return [*events, *actions, waiting, *sink]


class Queue:
    """The queue's status; whoever asks within a second gets the same answer, and only one asks Kafka and Postgres.

    Args:
        lanes: Every topic that a role reads.
        depths: Knows how far they are behind.
        store: Knows what waits in Postgres.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        depths: DepthSource,
        store: StatusStore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lanes = lanes
        self._depths = depths
        self._store = store
        self._clock = clock
        self._asking = asyncio.Lock()
        self._known: tuple[float, QueueStatus] | None = None

    async def status(self) -> QueueStatus:
        """Return the status, at most a second old.

        Raises:
            UnreachableError: Kafka or Postgres does not answer.
        """
        async with self._asking:
            if self._known is None or self._clock() - self._known[0] > _FRESH_S:
                self._known = (self._clock(), await self._ask())
            return self._known[1]

    async def view(self, caller: Caller) -> QueueView:
        """Return what a caller may know of it: who may operate all, others what is nobody's and what is their own.

        Raises:
            UnreachableError: Kafka or Postgres does not answer.
        """
        status = await self.status()
        if caller.may("operate"):
            return QueueView(counted="installation", **dict(status))
        common = {name: getattr(status, name) for name in ("as_of", "depth", "roles", "outbox_oldest_s")}
        return QueueView(counted="own", **common, **dict(await self._store.own(caller)))

    async def workflows(self) -> WorkflowCounts:
        """Count workflows.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        return await self._store.workflows()

    async def _ask(self) -> QueueStatus:
        depths, stored = await asyncio.gather(self._depths.depths(self._lanes), self._store.status())
        roles: dict[str, list[LaneDepth]] = {}
        for lane in self._lanes:
            found = roles.setdefault(lane.role, [])
            if depth := depths.get(lane.topic, 0):
                found.append(LaneDepth(topic=lane.topic, lane=lane.lane, depth=depth))
        listed = [
            RoleDepth(role=role, depth=sum(one.depth for one in found), topics=found) for role, found in roles.items()
        ]
        total = sum(role.depth for role in listed)
        return QueueStatus(as_of=datetime.now(UTC), depth=total, roles=listed, **dict(stored))
