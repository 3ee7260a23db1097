"""Kafka as the simulation has it: a worker whose commits come late and are fenced, a sender whose answers get lost."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from app.adapters.kafka.local_broker import LocalBroker, LocalRecord, Place
from app.adapters.kafka.local_worker import LocalWorker
from app.domain.errors import UnreachableError
from app.ports import Record, Refusal, Sender
from tests.simulation.process import Process

PARTITIONS: Final = 3
SESSION_S: Final = 10.0
_COMMIT_EVERY_S: Final = 2.0


class EvictedError(Exception):
    """The group has gone on without this member."""


class SimWorker(LocalWorker):
    """A member of a group; what it has finished is committed every two seconds and when it hands over.

    Args:
        broker: Where the topics are.
        group: The group's name.
        process: Whose member it is.
    """

    def __init__(self, broker: LocalBroker, group: str, process: Process) -> None:
        super().__init__(broker, group)
        self.process = process
        self.finished: dict[Place, int] = {}
        self.evicted = False
        self._joined = False
        self.to_commit = asyncio.Event()

    def done(self, record: LocalRecord) -> None:
        """Note what is finished of a record's partition."""
        if record.lane.offset is not None and not record.lane.dead:
            self.finished[record.place] = record.lane.offset
            self.to_commit.set()
        self.wake()

    async def committing(self) -> None:
        """Commit some time after something was finished, until the process ends."""
        while True:
            await self.to_commit.wait()
            self.to_commit.clear()
            await self.process.sleep(self.process.chaos.between(0, _COMMIT_EVERY_S))
            self._commit()

    async def hand_over(self) -> None:
        """Commit what is finished, and own nothing."""
        await super().hand_over()
        if not self.evicted:
            self._commit()

    async def __aenter__(self) -> Self:
        """Join; a process that has died meanwhile is let go again."""
        await super().__aenter__()
        self._joined = True
        if self.evicted:
            await self._group.leave(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave in order; should it die meanwhile, it is not let go a second time."""
        self._joined = False
        await super().__aexit__(kind, error, trace)

    async def evict(self) -> None:
        """Have the group go on without it: its commits are refused from now on."""
        self.evicted = True
        await self.crash(EvictedError())
        if self._joined:
            await self._group.leave(self)

    def _commit(self) -> None:
        if not self.evicted:
            self._group.committed.update(self.finished)
        self.finished.clear()


class SimSender(Sender):
    """Appends to the broker; an answer that is lost leaves what was sent there, or the first of it.

    Args:
        broker: Where the topics are.
        process: Who sends.
    """

    def __init__(self, broker: LocalBroker, process: Process) -> None:
        self.broker = broker
        self.process = process

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        """Produce records; see :class:`app.ports.Sender`."""
        chaos = self.process.chaos
        await self.process.gate()
        await chaos.delay()
        await self.process.gate()
        lost = chaos.happens()
        arrived = records[: chaos.below(len(records) + 1)] if lost else records
        for record in arrived:
            self.broker.append(record.topic, record.value, key=record.key, headers=record.headers)
        await chaos.delay()
        await self.process.gate()
        if lost:
            chaos.tell(f"{self.process.name}: Kafka confirms nothing; {len(arrived)} of {len(records)} have arrived")
            raise UnreachableError("Kafka did not confirm a record (so the seed wants it)")
        return [None] * len(records)
