"""Apps on a real broker in the test's own process: ours, and stock Faust with the same settings to compare with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faust.types import TP

from app.domain.kafka_connection import KafkaConnection
from app.ports.record_source import RecordSource
from app.processes.faust_app import AgentSpec, build_app, common_settings
from tests.support.waiting import eventually

AgentFunction = Callable[[Any], Awaitable[None]]


@dataclass
class Place:
    """One test's corner of the broker: its topic, its group, its folder."""

    kafka: str
    prefix: str
    folder: Path
    partitions: int = 4

    @property
    def topic(self) -> str:
        """The topic that the test's agents read."""
        return f"{self.prefix}work"

    @property
    def group(self) -> str:
        """The consumer group."""
        return f"{self.prefix}group"

    def ours(self, agent: AgentFunction, *, instance: str = "1", others: Sequence[AgentSpec] = (), **more: Any) -> Any:
        """An app on our transport, with one agent that reads the test's topic."""
        spec = AgentSpec("agent", self.topic, agent)
        return build_app(
            app_id=self.group,
            connection=KafkaConnection(self.kafka),
            instance=instance,
            data_dir=self.folder,
            agents=[spec, *others],
            **more,
        )

    def ours_with_events(self, agent: AgentFunction) -> Any:
        """An app on our transport whose agent reads Faust's events instead of batches."""
        app = self.ours(agent)
        app.agents.clear()
        app.agent(app.topic(self.topic, key_serializer="raw", value_serializer="raw"), name="events")(agent)
        return app

    def stock(self, agent: AgentFunction, *, instance: str = "1") -> Any:
        """An app on Faust's own transport, with one agent and the same settings."""
        app = faust.App(
            self.group,
            broker=f"kafka://{self.kafka}",
            consumer_group_instance_id=f"{self.group}-{instance}",
            datadir=self.folder / instance,
            **common_settings(),
        )
        app.agent(app.topic(self.topic, key_serializer="raw", value_serializer="raw"), name="agent")(agent)
        return app

    async def produce(self, *values: str, key: str | None = None, partition: int | None = None) -> None:
        """Produce records; the key decides the partition unless one is named."""
        async with AIOKafkaProducer(bootstrap_servers=self.kafka) as producer:
            encoded_key = None if key is None else key.encode()
            sent = [await producer.send(self.topic, v.encode(), encoded_key, partition) for v in values]
            await asyncio.gather(*sent)

    async def committed(self) -> dict[int, int]:
        """Committed offsets by partition, of those that have one."""
        client = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await client.start()
        try:
            offsets = await client.list_consumer_group_offsets(self.group)
        finally:
            await client.close()
        return {tp.partition: meta.offset for tp, meta in offsets.items() if tp.topic == self.topic}

    async def lag(self) -> int:
        """Records that the group has not committed."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await consumer.start()
        try:
            ends = await consumer.end_offsets([TopicPartition(self.topic, p) for p in range(self.partitions)])
        finally:
            await consumer.stop()
        committed = await self.committed()
        return sum(end - max(0, committed.get(tp.partition, 0)) for tp, end in ends.items())

    async def nothing_left(self) -> bool:
        """Whether every record is committed."""
        return await self.lag() == 0

    async def create_topic(self, name: str, partitions: int, **config: str) -> None:
        """Create a topic and wait until it can be used."""
        client = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await client.start()
        try:
            await client.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])
            await eventually(lambda: _has_leaders(client, name, partitions))
        finally:
            await client.close()


async def _has_leaders(client: AIOKafkaAdminClient, name: str, partitions: int) -> bool:
    for topic in await client.describe_topics([name]):
        return [p["leader"] >= 0 for p in topic["partitions"]] == [True] * partitions
    return False


def ready(app: Any) -> bool:
    """Whether the app has partitions and takes records."""
    return bool(app.consumer.assignment() and not app.rebalancing and app.consumer.flow_active)


@asynccontextmanager
async def running(*apps: Any) -> AsyncIterator[None]:
    """Start apps one after the other, each ready before the next, and stop them all."""
    async with AsyncExitStack() as stack:
        for app in apps:
            await app.start()
            stack.push_async_callback(app.stop)
            await eventually(partial(ready, app), what=f"{app.conf.id} ready")
        yield


@asynccontextmanager
async def running_beside(app: Any) -> AsyncIterator[None]:
    """Start an app without waiting until it has partitions, which Faust's start does; stop it at the end."""
    starting = asyncio.create_task(app.start())
    try:
        yield
        await starting
    finally:
        await app.stop()


def partitions_of(app: Any, topic: str) -> set[int]:
    """Partitions of a topic that the app owns."""
    return {tp.partition for tp in app.consumer.assignment() if tp.topic == topic}


def tp(place: Place, partition: int) -> TP:
    """Faust's name of a partition of the test's topic."""
    return TP(place.topic, partition)


@dataclass
class Reader:
    """An agent that notes what it has read; it begins and acks unless told to hold.

    Attributes:
        seen: Values in the order in which they were finished.
        holding: Values that were begun and wait for ``release``.
        hold: Which values to hold.
    """

    hold: Callable[[str], bool] = lambda _: False
    seen: list[str] = field(default_factory=list)
    holding: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    def has_seen(self, count: int) -> bool:
        """Tell whether so many values were finished."""
        return len(self.seen) == count

    async def __call__(self, source: RecordSource[Any]) -> None:
        """Read by batches."""
        held: list[asyncio.Task[None]] = []
        async for batch in source.batches(max_records=100):
            self.batches.append(len(batch))
            for message in batch:
                value = message.value.decode()
                if self.hold(value):
                    if source.begin(message):
                        self.holding.append(value)
                        held.append(asyncio.create_task(self._finish_later(source, message, value)))
                elif source.begin(message):
                    self.seen.append(value)
                    source.ack(message)

    async def _finish_later(self, source: RecordSource[Any], message: Any, value: str) -> None:
        await self.release.wait()
        self.seen.append(value)
        source.ack(message)


def numbered(count: int, start: int = 0) -> Sequence[str]:
    """Values to produce."""
    return [f"r{number}" for number in range(start, start + count)]
