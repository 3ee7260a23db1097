"""One contract for both senders: the one on Kafka and the one in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from app.adapters.kafka.producer import KafkaSender
from app.domain.errors import InvalidError, UnreachableError
from app.embedded.free_ports import pick_ports
from app.ports import Record, Sender
from app.topics import MAX_RECORD_BYTES
from tests.support.sender import MemorySender
from tests.support.topic_records import make_topic, read_topic


@dataclass
class Subject:
    """A sender, a topic of one partition that exists, and a way to read what arrived there."""

    sender: Sender
    topic: str
    arrived: Callable[[int], Awaitable[list[Record]]]


@pytest.fixture(params=["kafka", "memory"])
async def subject(request: pytest.FixtureRequest, topic_prefix: str) -> AsyncIterator[Subject]:
    """Each sender in turn."""
    topic = f"{topic_prefix}sent"
    if request.param == "memory":
        memory = MemorySender(frozenset({topic}))

        async def kept(_count: int) -> list[Record]:
            return memory.on(topic)

        yield Subject(memory, topic, kept)
        return
    servers = request.getfixturevalue("kafka")
    await make_topic(servers, topic)
    async with KafkaSender(servers, confirm_within_ms=2000) as sender:

        async def read(count: int) -> list[Record]:
            return await read_topic(servers, topic, count)

        yield Subject(sender, topic, read)


async def test_a_record_arrives_as_it_was_sent(subject: Subject) -> None:
    """Key, value and headers arrive byte by byte, repeats and order of headers kept."""
    record = Record(subject.topic, b"\x00k", b"\xff", (("a", b"1"), ("b", b""), ("a", b"2")))
    await subject.sender.send(record)
    assert await subject.arrived(1) == [record]


async def test_a_tombstone_arrives(subject: Subject) -> None:
    """A record without a value is a tombstone, one without a key has none."""
    records = [Record(subject.topic, b"k", None), Record(subject.topic, None, b"v")]
    await subject.sender.send_all(records)
    assert await subject.arrived(2) == records


async def test_records_keep_their_order(subject: Subject) -> None:
    """Records of one call arrive in its order, and after those of the call before."""
    records = [Record(subject.topic, b"k", str(n).encode()) for n in range(500)]
    await subject.sender.send_all(records[:200])
    await subject.sender.send_all(records[200:])
    assert await subject.arrived(500) == records


async def test_nothing_to_send_is_no_error(subject: Subject) -> None:
    """An empty list is sent at once."""
    await subject.sender.send_all([])


async def test_a_record_that_is_too_large_is_refused(subject: Subject) -> None:
    """A record over the limit is the caller's mistake, and those before it are not lost."""
    small = Record(subject.topic, b"k", b"v")
    large = Record(subject.topic, b"k", b"x" * (MAX_RECORD_BYTES + 1))
    with pytest.raises(InvalidError):
        await subject.sender.send_all([small, large])
    assert await subject.arrived(1) == [small]


async def test_a_large_record_arrives(subject: Subject) -> None:
    """The largest slip (640 KiB and some) fits."""
    record = Record(subject.topic, b"k", bytes(range(256)) * 2800)
    await subject.sender.send(record)
    assert await subject.arrived(1) == [record]


async def test_a_topic_that_does_not_exist_is_said(subject: Subject) -> None:
    """A record for a topic that nobody created fails, and creates nothing."""
    with pytest.raises(UnreachableError, match="nowhere"):
        await subject.sender.send(Record(f"{subject.topic}-nowhere", b"k", b"v"))


async def test_no_broker_is_said_within_8_seconds() -> None:
    """Starting without a broker fails with where it was looked for, and what to do."""
    servers = f"127.0.0.1:{pick_ports(1)[0]}"
    with pytest.raises(UnreachableError, match=servers):
        await KafkaSender(servers).start()


async def test_a_stopped_sender_sends_nothing(kafka: str) -> None:
    """After ``stop`` a send fails rather than hangs; stopping twice is fine."""
    sender = KafkaSender(kafka)
    await sender.start()
    await sender.stop()
    await sender.stop()
    with pytest.raises(UnreachableError):
        await sender.send(Record("t", b"k", b"v"))


async def test_a_running_broker_answers_a_ping(kafka: str) -> None:
    """``ping`` returns while the broker answers."""
    async with KafkaSender(kafka) as sender:
        await sender.ping()
