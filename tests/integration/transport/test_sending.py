"""Where our records go."""

import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from app.adapters.kafka.partitioning import hash_of
from app.adapters.kafka.producer import KafkaSender
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record
from tests.integration.transport.apps import Place

pytestmark = pytest.mark.kafka


async def test_a_key_goes_where_a_plain_producer_sends_it_and_is_hashed_once(place: Place) -> None:
    """One entity's records stay on one partition, whoever produced them."""
    keys = [f"{place.prefix}{number}".encode() for number in range(20)]
    async with AIOKafkaProducer(bootstrap_servers=place.kafka) as producer:
        plain = [(await producer.send_and_wait(place.topic, b"plain", key)).partition for key in keys]
    before = hash_of.cache_info().misses
    async with KafkaSender(KafkaConnection(place.kafka)) as sender:
        for _ in range(3):
            await sender.send_all([Record(place.topic, key, b"ours") for key in keys])
    assert hash_of.cache_info().misses - before == len(keys)
    places = [TopicPartition(place.topic, partition) for partition in range(place.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=place.kafka) as consumer:
        ends = await consumer.end_offsets(places)
    assert [ends[one] for one in places] == [4 * plain.count(one.partition) for one in places]


async def test_records_have_the_time_at_which_they_were_sent(place: Place) -> None:
    """To the millisecond, as with any producer: readers judge by it which record is the older."""
    before = time.time_ns() // 1_000_000
    async with KafkaSender(KafkaConnection(place.kafka)) as sender:
        await sender.send_all([Record(place.topic, b"one entity", str(n).encode()) for n in range(3)])
    after = time.time_ns() // 1_000_000
    async with AIOKafkaConsumer(place.topic, bootstrap_servers=place.kafka, auto_offset_reset="earliest") as consumer:
        stamps = [(await consumer.getone()).timestamp for _ in range(3)]
    assert before <= stamps[0] <= stamps[1] <= stamps[2] <= after
