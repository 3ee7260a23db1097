"""How far consumer groups are behind, asked of a real broker."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.adapters.kafka.admin import ensure_topics
from app.adapters.kafka.depths import KafkaDepths
from app.adapters.kafka.producer import KafkaSender
from app.domain.errors import UnreachableError
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record
from app.ports.queue_status import Lane, Progress
from app.topics import TopicSpec
from tests.support.waiting import in_time

pytestmark = pytest.mark.kafka


async def test_a_depth_is_what_the_group_has_not_committed(kafka: str, topic_prefix: str) -> None:
    """A topic nobody has read is wholly deep, one that was read is not, one that does not exist has no depth."""
    topic, group = f"{topic_prefix}x", f"{topic_prefix}g"
    await ensure_topics(KafkaConnection(kafka), [TopicSpec(topic, 3)], replication_factor=1)
    async with KafkaSender(KafkaConnection(kafka)) as sender:
        await sender.send_all([Record(topic, str(n).encode(), b"v") for n in range(20)])
    lanes = [Lane("r", group, topic), Lane("r", group, f"{topic_prefix}missing")]
    depths = KafkaDepths(KafkaConnection(kafka))
    try:
        assert dict(await depths.depths(lanes)) == {topic: 20}
        consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
        await consumer.start()
        places = [TopicPartition(topic, partition) for partition in range(3)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.commit({places[0]: ends[places[0]]})
        await consumer.stop()
        assert dict(await depths.depths(lanes)) == {topic: 20 - ends[places[0]]}
        done = ends[places[0]]
        assert dict(await depths.progress(lanes)) == {topic: Progress(20 - done, done)}
    finally:
        await depths.stop()


async def test_many_topics_are_asked_after_at_once(kafka: str, topic_prefix: str) -> None:
    """More topics than could be learnt of one by one within the time that a look has."""
    names = [f"{topic_prefix}t{number}" for number in range(80)]
    await ensure_topics(KafkaConnection(kafka), [TopicSpec(name, 1) for name in names], replication_factor=1)
    async with KafkaSender(KafkaConnection(kafka)) as sender:
        await sender.send_all([Record(name, b"k", b"v") for name in names])
    depths = KafkaDepths(KafkaConnection(kafka))
    try:
        assert await depths.depths([Lane("r", f"{topic_prefix}g", name) for name in names]) == dict.fromkeys(names, 1)
    finally:
        await depths.stop()


async def test_a_broker_that_is_away_is_said_and_asked_anew() -> None:
    """The error names where Kafka was looked for; each question tries again."""
    depths = KafkaDepths(KafkaConnection("127.0.0.1:1"))
    for _ in range(2):
        with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1"):
            await in_time(depths.depths([]), 10, what="the error")
    await depths.stop()
