"""Executions over their owner's quota: they wait in Postgres, counted and seen, and no other owner waits for them.

The matcher does not put them there itself: one owner's thousands would hold up every event behind them. It sends them
to a topic of their own, off which ``app/execution/quota_parking.py``, in another process, lets them wait.

Counted by each matcher in its own memory: with several, an owner may start that many by each, and what waits is let go
at the quota's rate over all of them. So is how many wait: past that an execution ends as blocked.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.domain.quotas import MAX_WAITING, RunRate
from app.metrics.matcher import BLOCKED, DELAYED
from app.ports import OwnerRights, Record, owner_header
from schemas.base import encode
from schemas.incoming import Incoming

# Of a record with executions that wait: with the largest event, revision and verdicts it is still one that Kafka takes.
_MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class First:
    """The first command of an execution, not yet encoded.

    Attributes:
        topic: The topic that it goes to.
        key: The key of its record.
        owner: Whose workflow it is of.
        common: The fields that all commands of its event have in common.
        fields: The fields of this command alone.
        cause: The event's record.
    """

    topic: str
    key: bytes
    owner: UUID
    common: dict[str, Any]
    fields: dict[str, Any]
    cause: Incoming

    def record(self) -> Record:
        """Return its record."""
        value = encode({**self.common, **self.fields})
        return Record(self.topic, self.key, value, owner_header(self.owner), cause=self.cause)


@dataclass(frozen=True, slots=True)
class Over:
    """An execution that would start now, over its owner's quota.

    Attributes:
        first: Its first command.
        due: When it may start.
        instead: Where too many wait, that it does not start at all.
    """

    first: First
    due: datetime
    instead: Record | None = None


class Quota:
    """Holds owners to so many executions a minute.

    Args:
        per_minute: Executions; 0 sets no limit.
        topic: Where those go that are more, on their way to wait.
        owners: Tells who is an administrator, and has no limit; asked about those over it only.
        most: Executions of one owner that may wait.

    Attributes:
        full: What to say of one that does not start, as that many wait.
    """

    def __init__(self, per_minute: int, topic: str, owners: OwnerRights, *, most: int = MAX_WAITING) -> None:
        self._reason = f"quota: more than {per_minute} executions a minute of the workflow's owner"
        self.full = f"{self._reason}, and {most} of them wait already"
        self._rate = RunRate(per_minute, waiting=most)
        self._topic = topic
        self._owners = owners

    def wait(self, owner: UUID, now: float) -> float:
        """Count an execution; returns for how many seconds it has to wait, 0 where it may start at once."""
        return self._rate.take(owner, now)

    async def settle(self, judged: Sequence[Record | Over]) -> list[Record]:
        """Return what follows from a batch: in its order what starts or does not, and behind that what is to wait.

        Raises:
            UnreachableError: Postgres stayed away for too long; the batch must stay unacked.
        """
        over = [one for one in judged if isinstance(one, Over)]
        if not over:
            return [one for one in judged if isinstance(one, Record)]
        free = await self._without_limit(over)
        held = [one for one in over if one.first.owner not in free]
        BLOCKED.labels("quota").inc(sum(one.instead is not None for one in held))
        DELAYED.inc(sum(one.instead is None for one in held))
        going = [_going(one, free) if isinstance(one, Over) else one for one in judged]
        waiting = [one for one in held if one.instead is None]
        return [*(record for record in going if record is not None), *self._waiting(waiting)]

    async def _without_limit(self, over: Sequence[Over]) -> Collection[UUID]:
        owners = await self._owners.of({one.first.owner for one in over})
        free = {owner for owner, caller in owners.items() if caller.role == "admin"}
        for owner in free:
            self._rate.forget(owner)
        return free

    def _waiting(self, over: Sequence[Over]) -> Iterator[Record]:
        """Yield the records of executions that are to wait: those of one event and one owner together, if they fit."""
        groups: dict[tuple[int, UUID], list[Over]] = {}
        for one in over:
            groups.setdefault((id(one.first.common), one.first.owner), []).append(one)
        for group in groups.values():
            batch: list[orjson.Fragment] = []
            size = 0
            for one in group:
                run = encode({"topic": one.first.topic, "due": one.due, "command": one.first.fields})
                if batch and size + len(run) > _MOST_BYTES:
                    yield self._record(group[0].first, batch)
                    batch, size = [], 0
                batch.append(orjson.Fragment(run))
                size += len(run)
            yield self._record(group[0].first, batch)

    def _record(self, first: First, runs: Sequence[orjson.Fragment]) -> Record:
        common = {name: value for name, value in first.common.items() if name != "event_at"}  # they wait on purpose
        held = {"v": 1, "owner": first.owner, "reason": self._reason, "common": common, "runs": runs}
        return Record(self._topic, first.key, encode(held), cause=first.cause)


def _going(one: Over, free: Collection[UUID]) -> Record | None:
    """Return what goes now: of one that waits nothing, of one too many that it does not start."""
    return one.first.record() if one.first.owner in free else one.instead
