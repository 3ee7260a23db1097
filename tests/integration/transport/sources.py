"""The two sources that hold one contract: our Faust transport on a real broker, and the broker in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer

from app.adapters.kafka.local_broker import LocalBroker
from app.adapters.kafka.local_worker import LocalWorker
from app.ports.record_source import RecordSource
from app.processes.faust_app import Tuning
from tests.integration.transport.apps import Place, running

AgentFunction = Callable[[RecordSource[Any]], Awaitable[None]]


class Worker(Protocol):
    """A worker that runs an agent."""

    @property
    def crash_reason(self) -> BaseException | None:
        """What it has died of."""


class Subject(Protocol):
    """A topic of four partitions, and workers of one group that read it."""

    async def produce(self, *values: str, partition: int = 0, headers: Any = ()) -> None:
        """Append records; the key of each is ``k``."""

    async def committed(self) -> dict[int, int]:
        """Committed offsets by partition, of those that have one."""

    def worker(self, agent: AgentFunction, *, most_bytes: int = ...) -> AbstractAsyncContextManager[Worker]:
        """Run an agent as a member of the group, from when it has its partitions until it has left."""


MOST_BYTES = 64 * 1024 * 1024


@dataclass
class OnFaust:
    """Kafka."""

    place: Place
    _members: int = 0

    async def produce(self, *values: str, partition: int = 0, headers: Any = ()) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.place.kafka) as producer:
            for value in values:
                await producer.send(self.place.topic, value.encode(), b"k", partition, headers=list(headers))

    async def committed(self) -> dict[int, int]:
        return await self.place.committed()

    @asynccontextmanager
    async def worker(self, agent: AgentFunction, *, most_bytes: int = MOST_BYTES) -> AsyncIterator[Any]:
        self._members += 1
        app = self.place.ours(agent, instance=str(self._members), tuning=Tuning(buffer_bytes=most_bytes))
        async with running(app):
            yield app


@dataclass
class InMemory:
    """The broker in memory."""

    broker: LocalBroker = field(default_factory=LocalBroker)

    def __post_init__(self) -> None:
        self.broker.create_topic("work", partitions=4)

    async def produce(self, *values: str, partition: int = 0, headers: Any = ()) -> None:
        for value in values:
            self.broker.append("work", value.encode(), key=b"k", partition=partition, headers=headers)

    async def committed(self) -> dict[int, int]:
        return {place.partition: offset for place, offset in self.broker.group("group").committed.items()}

    @asynccontextmanager
    async def worker(self, agent: AgentFunction, *, most_bytes: int = MOST_BYTES) -> AsyncIterator[LocalWorker]:
        made = LocalWorker(self.broker, "group", most_bytes=most_bytes)
        made.add(agent, "work")
        async with made:
            yield made
