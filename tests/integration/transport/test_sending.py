"""Where our records go."""

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
