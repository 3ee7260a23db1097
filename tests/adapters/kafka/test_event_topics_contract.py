"""One contract for both readers of the topics of events: the one on Kafka and the one in memory."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.adapters.kafka.admin import ensure_topics
from app.adapters.kafka.event_topics import KafkaEventTopics
from app.adapters.kafka.producer import KafkaSender
from app.domain.errors import UnreachableError
from app.domain.kafka_connection import KafkaConnection
from app.embedded.free_ports import pick_ports
from app.ports import Record
from app.ports.event_topics import EventReader, EventTopics, Kept, TopicPlace
from app.topics import Topics, TopicSpec
from tests.support.event_topics import MemoryEventTopics
from tests.support.waiting import eventually

PARTITIONS = 3


@dataclass
class Subject:
    """Topics to look at, one of which there is; a way to add records to it, and one to finish a partition's first."""

    topics: EventTopics
    topic: str
    put: Callable[[str, int], Awaitable[None]]
    finish: Callable[[TopicPlace, int], Awaitable[None]]


@pytest.fixture(params=["kafka", "memory"])
async def subject(request: pytest.FixtureRequest, topic_prefix: str) -> AsyncIterator[Subject]:
    """Each reader in turn."""
    topics = Topics(topic_prefix)
    topic = topics.events("order.paid")
    if request.param == "memory":
        memory = MemoryEventTopics([topic], PARTITIONS)

        async def keep(key: str, count: int) -> None:
            for number in range(count):
                memory.put(topic, key.encode(), str(number).encode(), at=time.time())

        async def finish_in_memory(place: TopicPlace, offset: int) -> None:
            memory.finished[place] = offset

        yield Subject(memory, topic, keep, finish_in_memory)
        return
    servers = request.getfixturevalue("kafka")
    await ensure_topics(KafkaConnection(servers), [TopicSpec(topic, PARTITIONS)], replication_factor=1)

    async def send(key: str, count: int) -> None:
        async with KafkaSender(KafkaConnection(servers)) as sender:
            await sender.send_all([Record(topic, key.encode(), str(n).encode()) for n in range(count)])

    async def commit(place: TopicPlace, offset: int) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=topics.matcher_app, enable_auto_commit=False)
        await consumer.start()
        consumer.assign([TopicPartition(*place)])
        await consumer.commit({TopicPartition(*place): offset})
        await consumer.stop()

    yield Subject(KafkaEventTopics(KafkaConnection(servers), topics), topic, send, commit)


async def all_of(reader: EventReader, spans: dict[TopicPlace, tuple[int, int]]) -> dict[TopicPlace, list[bytes | None]]:
    """Read spans to their ends."""
    found: dict[TopicPlace, list[bytes | None]] = {place: [] for place in spans}
    positions: dict[TopicPlace, int] = {}
    async for chunk in reader.read(spans):
        positions |= chunk.positions
        for record in chunk.records:
            found[TopicPlace(record.topic, record.partition)].append(record.value)
    assert positions == {place: end for place, (_, end) in spans.items()} or not positions
    return found


async def test_an_entitys_records_are_in_its_home_partition(subject: Subject) -> None:
    """Where our own sender puts them; every partition of a topic that exists is told, and none of one that does not."""
    await subject.put("c-1", 5)
    async with subject.topics.open() as reader:
        kept = await reader.kept([subject.topic, f"{subject.topic}-missing"], None)
    home = TopicPlace(subject.topic, subject.topics.home("c-1", PARTITIONS))
    assert kept == {
        TopicPlace(subject.topic, number): Kept(0, 0, 5 if number == home.partition else 0)
        for number in range(PARTITIONS)
    }


async def test_a_span_is_read_to_its_end_and_not_beyond(subject: Subject) -> None:
    """Several partitions side by side, again and again over one connection; an empty span gives nothing."""
    for key in ("c-1", "c-2", "c-3", "c-4"):
        await subject.put(key, 10)
    async with subject.topics.open() as reader:
        kept = await reader.kept([subject.topic], None)
        full = {place: (one.begin, one.end) for place, one in kept.items()}
        everything = await all_of(reader, full)
        assert sum(map(len, everything.values())) == 40
        part = {place: (begin + 2, end - 3) for place, (begin, end) in full.items() if end}
        assert await all_of(reader, part) == {place: everything[place][2:-3] for place in part}
        assert await all_of(reader, dict.fromkeys(full, (0, 0))) == {place: [] for place in full}


async def test_a_moment_is_where_its_first_record_is(subject: Subject) -> None:
    """What came before it is passed over; a moment after everything is the end."""
    await subject.put("c-1", 3)
    stamped = time.time()
    await eventually(lambda: time.time() > stamped + 0.01, within=5, what="a later moment")
    moment = time.time()
    await subject.put("c-1", 2)
    home = TopicPlace(subject.topic, subject.topics.home("c-1", PARTITIONS))
    async with subject.topics.open() as reader:
        assert (await reader.kept([subject.topic], moment))[home] == Kept(0, 3, 5)
        assert (await reader.kept([subject.topic], moment + 3600))[home] == Kept(0, 5, 5)
        assert (await reader.kept([subject.topic], 0.0))[home] == Kept(0, 0, 5)


async def test_what_the_matchers_have_finished_is_told(subject: Subject) -> None:
    """By partition, as their group has committed it."""
    await subject.put("c-1", 5)
    home = TopicPlace(subject.topic, subject.topics.home("c-1", PARTITIONS))
    await subject.finish(home, 3)
    async with subject.topics.open() as reader:
        assert (await reader.matched())[home] == 3


async def test_a_broker_that_is_away_is_said() -> None:
    """The error names where Kafka was looked for."""
    (port,) = pick_ports(1)
    topics = KafkaEventTopics(KafkaConnection(f"127.0.0.1:{port}"), Topics("t."))
    with pytest.raises(UnreachableError, match=str(port)):
        async with topics.open():
            pass
