"""What was fetched while a rebalance went on and could not be delivered is fetched again: nothing else would."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP

from app.adapters.kafka.admin import ensure_topics
from app.adapters.kafka.crash_guard import NoGuard
from app.adapters.kafka.drain import Drain
from app.adapters.kafka.frontier import Frontier
from app.adapters.kafka.group_client import GroupClient
from app.adapters.kafka.producer import KafkaSender
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record
from app.topics import TopicSpec
from tests.support.deadlines import scaled

CHANGELOG = TP("changelog", 0)


class Client(GroupClient):
    """The group's client over a consumer that runs already."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer


@pytest.fixture
async def consumer(kafka: str, topic_prefix: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of one partition with ten records."""
    topic = f"{topic_prefix}ten"
    await ensure_topics(KafkaConnection(kafka), [TopicSpec(topic, 1)], replication_factor=1)
    async with KafkaSender(KafkaConnection(kafka)) as sender:
        await sender.send_all([Record(topic, None, b"%d" % number) for number in range(10)])
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0)])
    yield consumer
    await consumer.stop()


async def fetch(consumer: AIOKafkaConsumer, count: int) -> list[Any]:
    """The next records."""
    ((_, records),) = (await consumer.getmany(timeout_ms=int(scaled(10_000)), max_records=count)).items()
    return list(records)


async def test_what_is_given_back_is_fetched_again(consumer: AIOKafkaConsumer) -> None:
    """The next fetch begins with the first record that was given back."""
    (tp,) = consumer.assignment()
    await fetch(consumer, 2)
    records = await fetch(consumer, 3)
    Client(consumer).give_back(TP(*tp), records)
    assert [record.offset for record in await fetch(consumer, 3)] == [2, 3, 4]


async def test_a_seek_that_came_after_the_fetch_stands(consumer: AIOKafkaConsumer) -> None:
    """Where somebody has sought back since, giving back does not skip what lies between."""
    (tp,) = consumer.assignment()
    await fetch(consumer, 2)
    records = await fetch(consumer, 3)
    consumer.seek(tp, 1)
    Client(consumer).give_back(TP(*tp), records)
    assert [record.offset for record in await fetch(consumer, 2)] == [1, 2]


async def test_a_partition_that_went_away_is_left_alone(consumer: AIOKafkaConsumer) -> None:
    """Records of a partition that is not assigned any more are its next owner's."""
    (tp,) = consumer.assignment()
    records = await fetch(consumer, 2)
    consumer.assign([TopicPartition(tp.topic, 1)])
    Client(consumer).give_back(TP(*tp), records)
    assert consumer.assignment() == {TopicPartition(tp.topic, 1)}


class RebalancingConsumer:
    """A consumer whose flow is stopped while it fetches; its loop ends when it waits for the flow to resume.

    Attributes:
        returned: What was given back.
    """

    def __init__(self, records: Mapping[TP, Sequence[Any]]) -> None:
        self._records = records
        self.returned: list[tuple[TP, Sequence[Any]]] = []
        self.frontier = Frontier(lambda: 0.0, lambda: None)
        self.guard = NoGuard()
        self.app = SimpleNamespace(
            topics=SimpleNamespace(_tp_index={}), flow_control=SimpleNamespace(is_active=lambda: True)
        )
        self.flow_active, self.should_stop, self.epoch = True, False, 1
        self.wake = asyncio.Event()
        self.can_resume_flow = asyncio.Event()

    def fetchable(self) -> frozenset[TP]:
        """Everything."""
        return frozenset({CHANGELOG})

    def give_back(self, tp: TP, batch: Sequence[Any]) -> None:
        """Note what comes back."""
        self.returned.append((tp, batch))

    async def poll(self, partitions: frozenset[TP], seconds: float) -> Mapping[TP, Sequence[Any]]:
        """Return records when a rebalance has begun."""
        assert partitions
        assert seconds
        self.flow_active = False
        return self._records

    async def wait(self, event: asyncio.Event) -> None:
        """End."""
        assert event is self.can_resume_flow
        self.should_stop = True


async def test_what_is_fetched_when_a_rebalance_begins_is_given_back() -> None:
    """The drain loop delivers nothing of it, and drops nothing of it."""
    consumer = RebalancingConsumer({CHANGELOG: ["a", "b"]})
    await Drain(consumer).run(SimpleNamespace(should_stop=False))
    assert consumer.returned == [(CHANGELOG, ["a", "b"])]
