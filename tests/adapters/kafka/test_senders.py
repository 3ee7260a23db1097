"""One contract for both senders: the one on Kafka and the one in memory."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from app.adapters.kafka.persistent import PersistentSender
from app.adapters.kafka.producer import KafkaSender
from app.domain.errors import InvalidError, UnreachableError
from app.domain.kafka_connection import KafkaConnection
from app.embedded.free_ports import pick_ports
from app.ports import Record, Sender
from app.topics import MAX_RECORD_BYTES
from tests.support.producers import die
from tests.support.sender import MemorySender
from tests.support.topic_records import delete_topic, make_topic, read_topic
from tests.support.waiting import limit


@dataclass
class Subject:
    """A sender, a topic of one partition that exists, one that takes 2,000 bytes, and a way to read what arrived."""

    sender: Sender
    topic: str
    narrow: str
    arrived: Callable[..., Awaitable[list[Record]]]


@pytest.fixture(params=["kafka", "persistent", "memory"])
async def subject(request: pytest.FixtureRequest, topic_prefix: str) -> AsyncIterator[Subject]:
    """Each sender in turn."""
    topic, narrow = f"{topic_prefix}sent", f"{topic_prefix}narrow"
    if request.param == "memory":
        memory = MemorySender(frozenset({topic, narrow}))
        memory.most[narrow] = 2000

        async def kept(_count: int, of: str = topic) -> list[Record]:
            return memory.on(of)

        yield Subject(memory, topic, narrow, kept)
        return
    servers = request.getfixturevalue("kafka")
    await make_topic(servers, topic)
    await make_topic(servers, narrow, max_message_bytes="2000")
    # Longer than any test may take: what is refused is not waited for.
    async with KafkaSender(KafkaConnection(servers), confirm_within_ms=120_000) as sender:

        async def read(count: int, of: str = topic) -> list[Record]:
            return await read_topic(servers, of, count)

        yield Subject(PersistentSender(sender) if request.param == "persistent" else sender, topic, narrow, read)


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


async def test_records_of_one_call_keep_what_is_their_own(subject: Subject) -> None:
    """Keys or none, values or none, headers or none: what shares a batch shares nothing else."""
    records = [
        Record(subject.topic, b"k", b"1", (("a", b"1"), ("a", b"2"))),
        Record(subject.topic, None, b"2"),
        Record(subject.topic, b"", None, (("\u00e9", b""),)),
        Record(subject.topic, b"k", b"", ()),
        Record(subject.topic, None, b"5", (("b", b"\x00"),)),
    ]
    assert list(await subject.sender.deliver(records)) == [None] * 5
    assert await subject.arrived(5) == records


async def test_more_than_a_batch_holds_arrives_in_order(subject: Subject) -> None:
    """Records of which two or three fill a batch, one that is larger than a batch, and small ones between them."""
    noise = random.Random(7).randbytes
    sizes = (60_000, 60_000, 60_000, 10, 700_000, 10, 128 * 1024, 60_000, 10)
    records = [Record(subject.topic, b"k", noise(size), (("n", str(n).encode()),)) for n, size in enumerate(sizes)]
    assert list(await subject.sender.deliver(records)) == [None] * len(records)
    assert await subject.arrived(len(records)) == records


async def test_calls_at_the_same_time_keep_each_their_order(subject: Subject) -> None:
    """They fill each other's batches, and each is told of its own records when they are there."""
    noise = random.Random(9).randbytes
    calls = [
        [Record(subject.topic, b"k", f"{call} {n} ".encode() + noise(50_000)) for n in range(4)] for call in "abcde"
    ]
    answers = await asyncio.gather(*(subject.sender.deliver(records) for records in calls))
    assert [list(one) for one in answers] == [[None] * 4] * 5
    arrived = await subject.arrived(20)
    for call, records in zip("abcde", calls, strict=True):
        assert [record for record in arrived if (record.value or b"").startswith(f"{call} ".encode())] == records


async def test_what_one_call_does_wrong_is_not_anothers_fault(subject: Subject) -> None:
    """A record that the broker refuses may share its batch with another call's, which arrive all the same."""
    bad = Record(subject.narrow, b"k", random.Random(5).randbytes(9000))
    good = [Record(subject.narrow, b"k", str(n).encode()) for n in range(6)]
    calls = [[good[0], bad, good[1]], [good[2]], [good[3], good[4]], [bad], [good[5]]]
    answers = await asyncio.gather(*(subject.sender.deliver(records) for records in calls))
    said = [[refusal and refusal.reason for refusal in one] for one in answers]
    assert said == [[None, "too_large", None], [None], [None, None], ["too_large"], [None]]
    arrived = await subject.arrived(6, subject.narrow)
    assert sorted(arrived, key=lambda record: record.value or b"") == good


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


async def test_what_is_too_large_is_refused_alone(subject: Subject) -> None:
    """A header of 1.2 MB is refused with its size; those before and after it arrive."""
    before, after = Record(subject.topic, b"k", b"1"), Record(subject.topic, b"k", b"2")
    large = Record(subject.topic, b"k", b"v", (("ce_note", b"x" * 1_200_000),))
    refusals = await subject.sender.deliver([before, large, after])
    assert [refusal and refusal.reason for refusal in refusals] == [None, "too_large", None]
    assert "12000" in str(refusals[1])
    assert await subject.arrived(2) == [before, after]


async def test_what_the_broker_refuses_does_not_take_its_batch_along(subject: Subject) -> None:
    """Kafka refuses batches as a whole: which record is at fault is found, and the others arrive."""
    noise = random.Random(5).randbytes(9000)  # lz4 makes nothing smaller of it
    records = [Record(subject.narrow, b"k", value) for value in (b"1", noise, b"2", b"3")]
    refusals = await subject.sender.deliver(records)
    assert [refusal and refusal.reason for refusal in refusals] == [None, "too_large", None, None]
    assert await subject.arrived(3, subject.narrow) == [records[0], *records[2:]]


async def test_a_topic_that_does_not_exist_holds_nothing_up(subject: Subject) -> None:
    """A record for a topic that nobody created is refused as that, creates nothing, and the others arrive at once."""
    here = [Record(subject.topic, b"k", b"1"), Record(subject.topic, b"k", b"2")]
    nowhere = Record(f"{subject.topic}-nowhere", b"k", b"v")
    for _ in range(3):
        async with limit(30, what="what was sent"):
            refusals = await subject.sender.deliver([here[0], nowhere, here[1]])
        assert [refusal and refusal.reason for refusal in refusals] == [None, "no_topic", None]
    assert await subject.arrived(6) == here * 3


async def test_who_cannot_go_on_without_a_topic_is_told(subject: Subject) -> None:
    """For who sends all or nothing, a missing topic is the installation's fault, and no mistake in the record."""
    with pytest.raises(UnreachableError, match="nowhere"):
        await subject.sender.send(Record(f"{subject.topic}-nowhere", b"k", b"v"))


@pytest.mark.parametrize(
    ("topic", "headers"),
    [
        ("no topic's name", ()),
        ("x" * 250, ()),
        ("..", ()),
        ("", ()),
        (None, (("\ud800", b"v"),)),
        (None, (("name", "text"),)),
        (None, ((b"name", b"v"),)),
    ],
)
async def test_what_cannot_be_encoded_is_refused_alone(subject: Subject, topic: str | None, headers: Any) -> None:
    """Names that no topic can have, and headers that are none, are refused; the others arrive."""
    odd = Record(subject.topic if topic is None else topic, b"k", b"v", headers)
    fine = Record(subject.topic, b"k", b"v")
    refusals = await subject.sender.deliver([odd, fine])
    assert [refusal and refusal.reason for refusal in refusals] == ["refused", None]
    assert await subject.arrived(1) == [fine]


async def test_a_topic_deleted_while_in_use_is_refused_soon(kafka: str, topic_prefix: str) -> None:
    """What the producer knew and is gone is found out long before its time to confirm is over."""
    topic, other = f"{topic_prefix}deleted", f"{topic_prefix}stays"
    await make_topic(kafka, topic)
    await make_topic(kafka, other)
    async with KafkaSender(KafkaConnection(kafka), confirm_within_ms=120_000) as sender:
        records = [Record(topic, b"k", b"v"), Record(other, b"k", b"v")]
        assert list(await sender.deliver(records)) == [None, None]
        await delete_topic(kafka, topic)
        async with limit(60, what="what was sent"):
            # A broker may still take some after the controller has said that the topic is deleted.
            while (refusals := await sender.deliver(records)) == [None, None]:
                pass
        assert [refusal and refusal.reason for refusal in refusals] == ["no_topic", None]
        await make_topic(kafka, topic)
        assert list(await sender.deliver(records)) == [None, None]


async def test_a_record_that_a_compacted_topic_cannot_keep_is_refused(kafka: str, topic_prefix: str) -> None:
    """Without a key a record cannot be compacted: the broker's own no, in a code that aiokafka does not know."""
    topic = f"{topic_prefix}compacted"
    await make_topic(kafka, topic, cleanup_policy="compact")
    async with KafkaSender(KafkaConnection(kafka)) as sender:
        refusals = await sender.deliver(
            [Record(topic, b"k", b"1"), Record(topic, None, b"2"), Record(topic, b"k", b"3")]
        )
    assert [refusal and refusal.reason for refusal in refusals] == [None, "refused", None]
    assert [record.value for record in await read_topic(kafka, topic, 2)] == [b"1", b"3"]


async def test_order_holds_around_what_is_refused(kafka: str, topic_prefix: str) -> None:
    """What shared a batch with a refused record is sent before what was to come behind it, if in a batch of its own."""
    topic = f"{topic_prefix}narrow"
    await make_topic(kafka, topic, max_message_bytes="2000")
    first, last = Record(topic, b"k", b"1"), Record(topic, b"k", b"2")
    large = Record(topic, b"k", random.Random(5).randbytes(120_000))  # as a batch is nearly full with it
    shrinks = Record(topic, b"k", bytes(20_000))  # to a hundred bytes
    async with KafkaSender(KafkaConnection(kafka)) as sender:
        refusals = await sender.deliver([first, large, shrinks, last])
    assert [refusal and refusal.reason for refusal in refusals] == [None, "too_large", None, None]
    assert await read_topic(kafka, topic, 3) == [first, shrinks, last]


async def test_a_producer_that_dies_has_a_successor(kafka: str, topic_prefix: str) -> None:
    """What waited for it is not confirmed, by an error as of any outage; what is sent again arrives, by another one."""
    topic, made = f"{topic_prefix}mortal", list[AIOKafkaProducer]()

    def make(**options: Any) -> AIOKafkaProducer:
        made.append(AIOKafkaProducer(**options))
        return made[-1]

    await make_topic(kafka, topic)
    record = Record(topic, b"k", b"v")
    async with limit(60, what="what was sent"), KafkaSender(KafkaConnection(kafka), make=make) as sender:
        await sender.send(record)
        die(made[0])
        lost = await asyncio.gather(*(sender.send(record) for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in lost] == [UnreachableError] * 3
        await asyncio.gather(*(sender.send(record) for _ in range(3)))
        await sender.ping()
    assert len(made) == 2
    assert await read_topic(kafka, topic, 4) == [record] * 4


async def test_no_broker_is_said_within_8_seconds() -> None:
    """Starting without a broker fails with where it was looked for, and what to do."""
    servers = f"127.0.0.1:{pick_ports(1)[0]}"
    with pytest.raises(UnreachableError, match=servers):
        await KafkaSender(KafkaConnection(servers)).start()


async def test_a_stopped_sender_sends_nothing(kafka: str) -> None:
    """After ``stop`` a send fails rather than hangs; stopping twice is fine."""
    sender = KafkaSender(KafkaConnection(kafka))
    await sender.start()
    await sender.stop()
    await sender.stop()
    with pytest.raises(UnreachableError):
        await sender.send(Record("t", b"k", b"v"))


async def test_a_running_broker_answers_a_ping(kafka: str) -> None:
    """``ping`` returns while the broker answers."""
    async with KafkaSender(KafkaConnection(kafka)) as sender:
        await sender.ping()
