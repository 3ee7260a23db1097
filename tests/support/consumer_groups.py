"""Who has joined a consumer group, and how far it is behind, asked of the broker."""

from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError

_STABLE = "Stable"


@asynccontextmanager
async def group_admin(bootstrap: str) -> Any:
    """Open a client for asking."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def members(admin: AIOKafkaAdminClient, group: str) -> int:
    """Return how many members a stable group has; 0 while it is being rebalanced, or has no coordinator yet."""
    try:
        answers = await admin.describe_consumer_groups([group])
    except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
        return 0
    for answer in answers:
        for _error, _group, state, _type, _protocol, joined, *_more in answer.groups:
            return len(joined) if state == _STABLE else 0
    return 0


async def lag(bootstrap: str, admin: AIOKafkaAdminClient, group: str) -> int:
    """Return how many records the group has not committed yet, over the partitions it has committed at all."""
    offsets = await admin.list_consumer_group_offsets(group)
    places: Sequence[TopicPartition] = list(offsets)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(places) if places else {}
    finally:
        await consumer.stop()
    return sum(max(0, ends[place] - max(0, offsets[place].offset)) for place in places)
