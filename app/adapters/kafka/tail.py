"""The last records of a topic, read without a group: for people who want to see what is there."""

import time
from collections.abc import Iterable
from typing import Any, Final

from app.adapters.kafka.reachability import reaching
from app.adapters.kafka.reading import ReadRecord, new_consumer
from app.domain.errors import UnreachableError
from app.domain.kafka_connection import KafkaConnection

_WITHIN_S: Final = 10.0
_FETCH_MS: Final = 300


async def missing_topics(connection: KafkaConnection, topics: Iterable[str]) -> list[str]:
    """Return those topics that Kafka does not have, and create none.

    Raises:
        UnreachableError: Kafka does not answer.
    """
    consumer = new_consumer(connection)
    try:
        async with reaching(connection):
            await consumer.start()
            return sorted(set(topics) - set(await consumer.topics()))
    finally:
        await consumer.stop()


async def last_records(connection: KafkaConnection, topic: str, count: int) -> list[ReadRecord]:
    """Return the newest records of a topic over all partitions, the oldest of them first.

    Args:
        connection: Where Kafka is and how it lets us in.
        topic: A topic that exists.
        count: How many; fewer come where there are no more, or compaction has left holes.

    Raises:
        UnreachableError: Kafka does not answer within 10 seconds.
    """
    consumer = new_consumer(connection, topic)
    try:
        async with reaching(connection):
            await consumer.start()
            found = await _read(consumer, count)
    finally:
        await consumer.stop()
    found.sort(key=lambda record: (record.timestamp or 0.0, record.partition, record.offset))
    return found[-count:]


async def _read(consumer: Any, count: int) -> list[ReadRecord]:
    places = list(consumer.assignment())  # all partitions: there is no group
    begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    for place in places:
        consumer.seek(place, max(begins[place], ends[place] - count))
    found: list[ReadRecord] = []
    deadline = time.monotonic() + _WITHIN_S
    while any([await consumer.position(place) < end for place, end in ends.items()]):
        if time.monotonic() > deadline:
            raise UnreachableError(f"the topic could not be read to its end within {_WITHIN_S:g} s")
        for messages in (await consumer.getmany(timeout_ms=_FETCH_MS)).values():
            found += [ReadRecord.of(message) for message in messages]
    return found
