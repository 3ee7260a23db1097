"""The queue's status: how deep it is, what is parked, what has failed."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from app.domain.callers import Caller
from app.ports.queue_status import (
    AtWork,
    DepthSource,
    Lane,
    OpenBreaker,
    OwnerMark,
    OwnStatus,
    Progress,
    RecentRuns,
    SetAside,
    StatusStore,
    StoreStatus,
    WorkflowCounts,
)
from app.services.operations.queue_pace import Pace
from app.topics import LANES, OVER_QUOTA_ROLE, Topics
from schemas.base import Contract

_FRESH_S: Final = 1.0


class LaneDepth(Contract):
    """Records of one topic that its role has not finished."""

    topic: str
    lane: str
    depth: int


class RoleDepth(Contract):
    """Records that one role has not finished, in all and by topic; topics without any are left out.

    Attributes:
        rate: Records that it finished a second, over the last minute at most; null where there was no look before.
        in_flight: Those of ``depth`` that its processes have fetched, as they said some seconds ago.
        oldest_s: For how many seconds the first unfinished record of a partition has been the same, at most. Both are
            null where no process of the role is there, or where it says nothing of it.
        processes: How many processes of the role are there.
    """

    role: str
    depth: int
    topics: list[LaneDepth]
    rate: float | None = None
    in_flight: int | None = None
    oldest_s: float | None = None
    processes: int = 0


class QueueStatus(StoreStatus):
    """How the installation keeps up; at most a second old.

    Attributes:
        depth: Records that some role has not finished, over all roles.
    """

    as_of: datetime
    depth: int
    roles: list[RoleDepth]


class QueueView(OwnStatus):
    """How the installation keeps up, as much of it as a caller may know.

    Attributes:
        counted: Whose ``parked``, ``failed_executions`` and ``failed_actions`` are counted: all owners'
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


def seen(status: QueueStatus, own: OwnStatus | None) -> QueueView:
    """Return what an operator sees of the queue; or, with what is their own, anybody else."""
    if own is None:
        return QueueView(counted="installation", **dict(status))
    common = {name: getattr(status, name) for name in ("as_of", "depth", "roles", "outbox_oldest_s")}
    return QueueView(counted="own", **common, **dict(own))


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
    """The queue's status; callers within a second get the same answer, and only one asks Kafka and Postgres.

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
        self._pace = Pace()

    async def status(self) -> QueueStatus:
        """Return the status, at most a second old.

        Raises:
            UnreachableError: Kafka or Postgres does not answer.
        """
        async with self._asking:
            if self._known is None or self._clock() - self._known[0] > _FRESH_S:
                self._known = (self._clock(), await self._ask())
            return self._known[1]

    async def stored(self) -> StoreStatus:
        """Return what waits in Postgres, which is known while Kafka does not answer.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        return await self._store.status()

    async def view(self, caller: Caller) -> QueueView:
        """Return what a caller may know of it: an operator all, others what has no owner and what is their own.

        Raises:
            UnreachableError: Kafka or Postgres does not answer.
        """
        status = await self.status()
        return seen(status, None if caller.may("operate") else await self._store.own(caller))

    async def own(self, caller: Caller) -> OwnStatus:
        """Count what is of a caller's workflows, with the caller's rights.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        return await self._store.own(caller)

    async def marks(self, owners: Collection[UUID]) -> Mapping[UUID, OwnerMark]:
        """Return what is another for each owner of whose workflows what is counted has changed.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        return await self._store.marks(owners)

    async def workflows(self) -> WorkflowCounts:
        """Count workflows.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        return await self._store.workflows()

    async def recent(self) -> RecentRuns:
        """Tell how executions went of late.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        return await self._store.recent()

    @property
    def lanes(self) -> Sequence[Lane]:
        """Every topic that a role reads."""
        return self._lanes

    async def _ask(self) -> QueueStatus:
        progress, (stored, at_work) = await asyncio.gather(self._depths.progress(self._lanes), self._stored())
        rates = self._pace.rates(self._clock(), self._places(progress))
        found: dict[str, list[LaneDepth]] = {}
        for lane in self._lanes:
            topics = found.setdefault(lane.role, [])
            if depth := progress[lane.topic].waiting if lane.topic in progress else 0:
                topics.append(LaneDepth(topic=lane.topic, lane=lane.lane, depth=depth))
        roles = [_role(role, topics, rates.get(role), at_work.get(role)) for role, topics in found.items()]
        total = sum(role.depth for role in roles)
        return QueueStatus(as_of=datetime.now(UTC), depth=total, roles=roles, **dict(stored))

    async def _stored(self) -> tuple[StoreStatus, Mapping[str, AtWork]]:
        return await self._store.status(), await self._store.at_work()

    def _places(self, progress: Mapping[str, Progress]) -> dict[str, int]:
        places: dict[str, int] = {}
        for lane in self._lanes:
            if lane.topic in progress:
                places[lane.role] = places.get(lane.role, 0) + progress[lane.topic].at
        return places


def _role(role: str, topics: list[LaneDepth], rate: float | None, at_work: AtWork | None) -> RoleDepth:
    return RoleDepth(
        role=role,
        depth=sum(one.depth for one in topics),
        topics=topics,
        rate=rate,
        in_flight=at_work.in_flight if at_work else None,
        oldest_s=None if at_work is None or at_work.oldest_s is None else round(at_work.oldest_s),
        processes=at_work.processes if at_work else 0,
    )
