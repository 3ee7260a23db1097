"""One contract for both subscribers: the one on Kafka and the one in memory."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from app.adapters.kafka.producer import KafkaSender
from app.adapters.kafka.subscriber import KafkaSubscriber
from app.domain.errors import UnreachableError
from app.domain.kafka_connection import KafkaConnection
from app.embedded.free_ports import pick_ports
from app.ports import Record, Sender, Subscriber
from tests.support.sender import MemorySender
from tests.support.subscriber import MemoryGroup, MemorySubscriber
from tests.support.topic_records import make_topic
from tests.support.waiting import eventually


@dataclass
class Subject:
    """A sender, two topics of one partition, and a way to join one consumer group, one member at a time."""

    sender: Sender
    topics: tuple[str, str]
    join: Callable[[], AbstractAsyncContextManager[Subscriber]]
    group: str


@pytest.fixture(params=["kafka", "memory"])
async def subject(request: pytest.FixtureRequest, topic_prefix: str) -> AsyncIterator[Subject]:
    """Each subscriber in turn."""
    topics = (f"{topic_prefix}one", f"{topic_prefix}two")
    if request.param == "memory":
        memory = MemorySender()
        group = MemoryGroup(memory)

        @asynccontextmanager
        async def member() -> AsyncIterator[Subscriber]:
            yield MemorySubscriber(group)

        yield Subject(memory, topics, member, group.name)
        return
    servers = request.getfixturevalue("kafka")
    for topic in topics:
        await make_topic(servers, topic)
    name = f"{topic_prefix}{uuid4().hex[:6]}"
    async with KafkaSender(KafkaConnection(servers)) as sender:
        yield Subject(sender, topics, lambda: KafkaSubscriber(KafkaConnection(servers), group=name), name)


async def values(subscriber: Subscriber, count: int, *, done: bool = True) -> list[bytes | None]:
    """Fetch until so many records have come."""
    found: list[bytes | None] = []

    async def enough() -> bool:
        records = await subscriber.fetch()
        found.extend(record.value for record in records)
        if done:
            await subscriber.done(records)
        return len(found) >= count

    await eventually(enough, within=20, what=f"{count} records")
    return found


async def test_a_new_group_reads_from_the_beginning_in_order(subject: Subject) -> None:
    """What was sent before the group was there comes too, key and headers as they were."""
    topic, _ = subject.topics
    sent = [Record(topic, b"k", str(n).encode(), (("h", b"1"),)) for n in range(30)]
    await subject.sender.send_all(sent)
    async with subject.join() as subscriber:
        await subscriber.follow([topic])
        assert await values(subscriber, 30) == [record.value for record in sent]


async def test_a_subscriber_names_its_group(subject: Subject) -> None:
    """Its dead letters are told from those of other groups by it."""
    async with subject.join() as subscriber:
        assert subscriber.group == subject.group


async def test_what_is_done_does_not_come_again_and_the_rest_does(subject: Subject) -> None:
    """The next member goes on behind what the one before has finished."""
    topic, _ = subject.topics
    await subject.sender.send(Record(topic, b"k", b"done"))
    async with subject.join() as first:
        await first.follow([topic])
        assert await values(first, 1) == [b"done"]
        await subject.sender.send(Record(topic, b"k", b"begun"))
        assert await values(first, 1, done=False) == [b"begun"]
    async with subject.join() as second:
        await second.follow([topic])
        assert await values(second, 1) == [b"begun"]


async def test_topics_are_followed_and_left(subject: Subject) -> None:
    """A topic that is followed no more sends nothing, and goes on where it was when it is followed again."""
    one, two = subject.topics
    async with subject.join() as subscriber:
        await subscriber.follow([one, two])
        await subject.sender.send(Record(one, b"k", b"1"))
        assert await values(subscriber, 1) == [b"1"]
        await subscriber.follow([two])
        await subject.sender.send_all([Record(one, b"k", b"2"), Record(two, b"k", b"3")])
        assert await values(subscriber, 1) == [b"3"]
        await subscriber.follow([one])
        assert await values(subscriber, 1) == [b"2"]


async def test_no_broker_is_said() -> None:
    """Starting without a broker fails with where it was looked for."""
    servers = f"127.0.0.1:{pick_ports(1)[0]}"
    with pytest.raises(UnreachableError, match=servers):
        await KafkaSubscriber(KafkaConnection(servers), group="g").start()


async def test_a_subscriber_that_is_not_started_says_so() -> None:
    """Not an attribute error."""
    with pytest.raises(UnreachableError, match="not running"):
        await KafkaSubscriber(KafkaConnection("127.0.0.1:1"), group="g").fetch()
