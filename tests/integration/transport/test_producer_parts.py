"""What we set and use of aiokafka's producer that has no accessor, on a broker: it still does what it is for."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.codec import lz4_encode
from aiokafka.errors import KafkaError, ProducerClosed
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from app.adapters.kafka import aiokafka_private
from app.adapters.kafka.aiokafka_private import WaitingBatches
from tests.integration.transport.apps import Place
from tests.support.producers import die
from tests.support.waiting import in_time

pytestmark = pytest.mark.kafka

_LZ4 = 3


@pytest.fixture
async def producer(place: Place) -> AsyncIterator[AIOKafkaProducer]:
    """A plain one, whose batches hold a kilobyte."""
    async with AIOKafkaProducer(bootstrap_servers=place.kafka, max_batch_size=1024, acks="all") as one:
        await one.partitions_for(place.topic)
        yield one


async def values(place: Place, count: int) -> list[bytes | None]:
    """Return what is on the first partition."""
    async with AIOKafkaConsumer(bootstrap_servers=place.kafka, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(place.topic, 0)])
        return [(await consumer.getone()).value for _ in range(count)]


async def test_records_share_their_batchs_future_and_go_in_the_order_in_which_they_joined(
    place: Place, producer: AIOKafkaProducer
) -> None:
    """With those of ``send`` on the same partition among them, and a batch of somebody's own behind them."""
    waiting, there = WaitingBatches(producer), TopicPartition(place.topic, 0)
    first = waiting.join(there, b"k", b"1", [])
    sent = await producer.send(place.topic, b"2", b"k", partition=0)
    assert first is not None
    assert waiting.join(there, None, b"3", [("a", b"1")]) is first
    assert waiting.join(TopicPartition(place.topic, 1), b"k", b"other", []) is not first
    own = producer.create_batch()
    own.append(timestamp=None, key=b"k", value=b"4", headers=[])
    own.close()
    behind = asyncio.create_task(producer.send_batch(own, place.topic, partition=0))
    await waiting.room(there)
    await in_time(asyncio.wait([first, sent]), 20, what="the batch")
    assert (first.result().offset, sent.result().offset) == (0, 1)
    await in_time(await behind, 20, what="the batch behind it")
    assert await values(place, 4) == [b"1", b"2", b"3", b"4"]


async def test_a_full_batch_takes_no_more_until_it_is_under_way(place: Place, producer: AIOKafkaProducer) -> None:
    """The first record always fits; what does not waits for room, and then opens a batch of its own."""
    waiting, there = WaitingBatches(producer), TopicPartition(place.topic, 0)
    large = bytes(2000)
    first = waiting.join(there, b"k", large, [])
    assert first is not None
    assert waiting.join(there, b"k", b"2", []) is None
    await in_time(waiting.room(there), 20, what="room")
    second = waiting.join(there, b"k", b"2", [])
    assert second is not None
    assert second is not first
    await waiting.room(TopicPartition(place.topic, 3))  # nothing waits there: there is room


async def test_a_stopped_producer_takes_no_more(place: Place) -> None:
    """And says so with the error that ``send`` has for it."""
    async with AIOKafkaProducer(bootstrap_servers=place.kafka) as one:
        await one.partitions_for(place.topic)
        waiting = WaitingBatches(one)
    with pytest.raises(ProducerClosed):
        waiting.join(TopicPartition(place.topic, 0), b"k", b"v", [])


async def test_a_producer_that_has_died_takes_no_more(place: Place, producer: AIOKafkaProducer) -> None:
    """What waited for it fails with it; what came after would never be sent, and nobody would say so."""
    waiting, there = WaitingBatches(producer), TopicPartition(place.topic, 0)
    assert waiting.died_of is None
    die(producer)
    last = waiting.join(there, b"k", b"v", [])
    assert last is not None
    await in_time(asyncio.wait([last]), 20, what="the batch")
    assert isinstance(last.exception(), KafkaError)
    assert waiting.died_of is last.exception()
    with pytest.raises(KafkaError):
        waiting.join(there, b"k", b"v", [])


def built(codec: int) -> bytes:
    """Return a batch of a thousand records, without its header."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, 0, 1 << 20)
    for number in range(1000):
        builder.append(number, 1_700_000_000_000, b"k", f"value {number * number} {number}".encode(), [])
    return bytes(builder.build())[61:]


def test_batches_are_compressed_at_our_level() -> None:
    """It is what aiokafka's batches call, whichever of its two builders makes them."""
    aiokafka_private.compress_quickly()
    raw = built(0)
    levels = {level: lz4_encode(raw, level=level) for level in (aiokafka_private.LZ4_LEVEL, 9)}
    assert levels[aiokafka_private.LZ4_LEVEL] != levels[9]
    assert built(_LZ4) == levels[aiokafka_private.LZ4_LEVEL]
