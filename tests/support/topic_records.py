"""Make a topic, and read what is on it."""

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.ports import Record


async def make_topic(servers: str, topic: str, **config: str) -> None:
    """Create a topic of one partition; ``config`` is Kafka's, with _ for the dots."""
    client = AIOKafkaAdminClient(bootstrap_servers=servers)
    await client.start()
    try:
        named = {name.replace("_", "."): value for name, value in config.items()}
        await client.create_topics([NewTopic(topic, 1, 1, topic_configs=named)])
    finally:
        await client.close()


async def delete_topic(servers: str, topic: str) -> None:
    """Delete a topic, with what is on it."""
    client = AIOKafkaAdminClient(bootstrap_servers=servers)
    await client.start()
    try:
        await client.delete_topics([topic])
    finally:
        await client.close()


async def read_topic(servers: str, topic: str, count: int) -> list[Record]:
    """Read a topic's first ``count`` records."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    try:
        messages = [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
    return [Record(m.topic, m.key, m.value, tuple(m.headers)) for m in messages]


async def read_all(servers: str, *topics: str) -> list[Record]:
    """Read everything that is on some topics now."""
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=servers, auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        found: list[Record] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for messages in (await consumer.getmany(timeout_ms=200)).values():
                found += [Record(m.topic, m.key, m.value, tuple(m.headers)) for m in messages]
    finally:
        await consumer.stop()
    return found
