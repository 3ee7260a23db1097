"""Executions over their owner's quota: they wait in Postgres, counted and seen, and nobody else waits for them.

Counted by each matcher in its own memory: with several, an owner may start that many by each, and what waits is let go
at the quota's rate over all of them. So is how many wait: past that an execution ends as blocked.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from prometheus_client import Counter

from agents.metrics import BLOCKED
from app.domain.ids import command_id
from app.domain.quotas import MAX_WAITING, RunRate
from app.ports import OwnerRights, Parking, Record, Timer

DELAYED = Counter("headrace_executions_delayed_total", "Executions that wait, as their owner's quota was used up")

_MOST: Final = 500
_MOST_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Over:
    """An execution that would start now, over its owner's quota.

    Attributes:
        record: Its first command.
        now: When it was matched.
        wait: Seconds until it may start.
        instead: That it does not start at all, where too many wait.
    """

    record: Record
    execution_id: UUID
    workflow_id: UUID
    owner: UUID
    entity: str
    now: datetime
    wait: float
    instead: Record | None = None


class Quota:
    """Holds owners to so many executions a minute.

    Args:
        per_minute: Executions; 0 sets no limit.
        parking: Where those wait that are more.
        owners: Tells who is an administrator, and has no limit; asked about those over it only.
        most: Executions of one owner that may wait.

    Attributes:
        full: What to say of one that does not start, as that many wait.
    """

    def __init__(self, per_minute: int, parking: Parking, owners: OwnerRights, *, most: int = MAX_WAITING) -> None:
        self._reason = f"quota: more than {per_minute} executions a minute of the workflow's owner"
        self.full = f"{self._reason}, and {most} of them wait already"
        self._rate = RunRate(per_minute, waiting=most)
        self._parking = parking
        self._owners = owners

    def wait(self, owner: UUID, now: float) -> float:
        """Count an execution; returns for how many seconds it has to wait, 0 where it may start at once."""
        return self._rate.take(owner, now)

    async def settle(self, judged: Sequence[Record | Over]) -> list[Record]:
        """Park those of a batch that are over; returns the records that go now, in their order.

        Raises:
            UnreachableError: Postgres stayed away for too long; the batch must stay unacked.
        """
        over = [one for one in judged if isinstance(one, Over)]
        free = await self._without_limit(over) if over else ()
        await self._park([one for one in over if one.owner not in free and one.instead is None])
        BLOCKED.labels("quota").inc(sum(one.owner not in free and one.instead is not None for one in over))
        going = [_going(one, free) for one in judged]
        return [record for record in going if record is not None]

    async def _without_limit(self, over: Sequence[Over]) -> Collection[UUID]:
        owners = await self._owners.of({one.owner for one in over})
        free = {owner for owner, caller in owners.items() if caller.role == "admin"}
        for owner in free:
            self._rate.forget(owner)
        return free

    async def _park(self, over: Sequence[Over]) -> None:
        batch, size = [], 0
        for one in over:
            batch.append(self._timer(one))
            size += one.record.size
            if len(batch) >= _MOST or size >= _MOST_BYTES:
                await self._parking.park(batch)
                batch, size = [], 0
        if batch:
            await self._parking.park(batch)
        DELAYED.inc(len(over))

    def _timer(self, over: Over) -> Timer:
        return Timer(
            command_id=command_id(over.execution_id, 1, 0),
            execution_id=over.execution_id,
            workflow_id=over.workflow_id,
            entity=over.entity,
            step=0,
            kind="quota",
            reason=self._reason,
            due=over.now + timedelta(seconds=over.wait),
            record=over.record,
            destination=str(over.owner),
        )


def _going(one: Record | Over, free: Collection[UUID]) -> Record | None:
    """Return what goes now: of one that waits nothing, of one too many that it does not start."""
    if not isinstance(one, Over):
        return one
    return one.record if one.owner in free else one.instead
