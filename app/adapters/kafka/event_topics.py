"""Implements ``app.ports.event_topics`` over a consumer without a group, which reads what matchers read."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.partitioner import murmur2

from app.adapters.kafka.aiokafka_private import learn_of
from app.adapters.kafka.connecting import client_options
from app.adapters.kafka.reachability import reaching
from app.adapters.kafka.reading import ReadRecord, new_consumer
from app.domain.kafka_connection import KafkaConnection
from app.ports.event_topics import Chunk, Kept, TopicPlace
from app.topics import Topics

_POLL_MS: Final = 250
_MOST_RECORDS: Final = 500
_REQUEST_MS: Final = 5_000
# What the broker sends at once: the memory of one look is a few of these.
_FETCH_BYTES: Final = 2 * 1024 * 1024
_PARTITION_FETCH_BYTES: Final = 256 * 1024
_SIGN: Final = 0x7FFFFFFF


class KafkaEventTopics:
    """Connects anew for each look; holds nothing between them.

    Args:
        connection: Where Kafka is and how it lets us in.
        topics: Names of the topics.
    """

    def __init__(self, connection: KafkaConnection, topics: Topics) -> None:
        self._connection = connection
        self._group = topics.matcher_app

    def home(self, entity: str, partitions: int) -> int:
        """Return the partition of an entity's records, as Java's, aiokafka's and our own producers choose it."""
        return int((murmur2(entity.encode()) & _SIGN) % partitions)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["KafkaEventReader"]:
        """Connect for the length of the block."""
        consumer = new_consumer(
            self._connection,
            client_id="headrace-events",
            fetch_max_bytes=_FETCH_BYTES,
            max_partition_fetch_bytes=_PARTITION_FETCH_BYTES,
            request_timeout_ms=_REQUEST_MS,
        )
        try:
            async with reaching(self._connection):
                await consumer.start()
                yield KafkaEventReader(consumer, self._connection, self._group)
        finally:
            await consumer.stop()


class KafkaEventReader:
    """Implements ``app.ports.event_topics.EventReader`` over a started consumer."""

    def __init__(self, consumer: Any, connection: KafkaConnection, group: str) -> None:
        self._consumer = consumer
        self._connection = connection
        self._group = group

    async def kept(self, topics: Sequence[str], since: float | None) -> Mapping[TopicPlace, Kept]:
        """Ask the brokers; a topic that does not exist is left out, and not created."""
        there = set(topics) & set(await self._consumer.topics())
        await learn_of(self._consumer, there)
        places = [
            TopicPartition(topic, partition)
            for topic in topics
            for partition in sorted(self._consumer.partitions_for_topic(topic) or () if topic in there else ())
        ]
        if not places:
            return {}
        begins, ends = await self._consumer.beginning_offsets(places), await self._consumer.end_offsets(places)
        first = await self._first(places, since)
        return {
            TopicPlace(*place): Kept(begins[place], min(ends[place], first.get(place, begins[place])), ends[place])
            for place in places
        }

    async def _first(self, places: Sequence[TopicPartition], since: float | None) -> Mapping[TopicPartition, int]:
        if since is None:
            return {}
        found = await self._consumer.offsets_for_times(dict.fromkeys(places, int(since * 1000)))
        nothing = [place for place in places if found.get(place) is None]
        ends = await self._consumer.end_offsets(nothing) if nothing else {}
        return {place: ends[place] if (at := found.get(place)) is None else at.offset for place in places}

    async def read(self, spans: Mapping[TopicPlace, tuple[int, int]]) -> AsyncIterator[Chunk]:
        """Read the spans; partitions are fetched side by side."""
        ends = {TopicPartition(*place): end for place, (at, end) in spans.items() if at < end}
        self._consumer.assign(list(ends))
        for place in ends:
            self._consumer.seek(place, spans[TopicPlace(*place)][0])
        positions = {place: at for place, (at, _) in spans.items()}
        while ends:
            fetched = await self._consumer.getmany(*ends, timeout_ms=_POLL_MS, max_records=_MOST_RECORDS)
            records = [
                ReadRecord.of(message)
                for place, messages in fetched.items()
                for message in messages
                if message.offset < ends[place]
            ]
            for place, end in list(ends.items()):
                at = await self._consumer.position(place)
                positions[TopicPlace(*place)] = min(at, end)
                if at >= end:
                    self._consumer.pause(place)
                    del ends[place]
            yield Chunk(records, dict(positions))

    async def matched(self) -> Mapping[TopicPlace, int]:
        """Ask for what the matchers' group has committed."""
        admin = AIOKafkaAdminClient(
            client_id="headrace-events", request_timeout_ms=_REQUEST_MS, **client_options(self._connection)
        )
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self._group)
        finally:
            await admin.close()
        return {TopicPlace(*place): found.offset for place, found in offsets.items() if found.offset >= 0}
