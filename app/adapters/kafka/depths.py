"""How far consumer groups are behind, asked of the broker: committed offsets against the partitions' ends."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from app.adapters.kafka.aiokafka_private import learn_of
from app.adapters.kafka.connecting import client_options
from app.adapters.kafka.reachability import unanswered
from app.domain.kafka_connection import KafkaConnection
from app.ports.queue_status import Lane, Progress

_WITHIN_S: Final = 5.0
_REQUEST_MS: Final = 4_000
_AGAIN_S: Final = 0.1


class KafkaDepths:
    """Implements ``app.ports.queue_status.DepthSource``; connects when it is asked first. ``stop`` it in the end.

    Args:
        connection: Where Kafka is and how it lets us in.
        client_id: Name in the broker's logs.
    """

    def __init__(self, connection: KafkaConnection, *, client_id: str = "headrace") -> None:
        self._connection = connection
        self._client_id = client_id
        self._admin: Any = None
        self._consumer: Any = None

    async def stop(self) -> None:
        """Disconnect; a second call does nothing."""
        admin, self._admin = self._admin, None
        consumer, self._consumer = self._consumer, None
        if admin is not None:
            await admin.close()
        if consumer is not None:
            await consumer.stop()

    async def depths(self, lanes: Sequence[Lane]) -> Mapping[str, int]:
        """Return for each lane's topic the records that its group has not committed.

        Markers of transactions count, as Kafka's own tools have it: a topic written in transactions may look one
        record deeper than it is. A topic that does not exist has no depth.

        Raises:
            UnreachableError: Kafka does not answer.
        """
        return {topic: one.waiting for topic, one in (await self.progress(lanes)).items()}

    async def progress(self, lanes: Sequence[Lane]) -> Mapping[str, Progress]:
        """Return for each lane's topic how far its group is with it; what is said of ``depths`` holds here.

        Raises:
            UnreachableError: Kafka does not answer.
        """
        try:
            return await asyncio.wait_for(self._look(lanes), _WITHIN_S)
        except (KafkaError, TimeoutError, OSError) as error:
            await self.stop()  # a fresh connection next time
            raise unanswered(self._connection, error) from error

    async def _look(self, lanes: Sequence[Lane]) -> Mapping[str, Progress]:
        await self._connect()
        places = await self._places({lane.topic for lane in lanes})
        # All at once: left to itself the consumer learns of one unknown topic in a tenth of a second.
        await learn_of(self._consumer, {place.topic for place in places})
        committed: dict[TopicPartition, int] = {}
        for offsets in await asyncio.gather(*(self._committed(group) for group in {lane.group for lane in lanes})):
            committed |= offsets
        ends = await self._consumer.end_offsets(places) if places else {}
        fresh = [place for place in places if place not in committed]
        begins = await self._consumer.beginning_offsets(fresh) if fresh else {}
        found: dict[str, Progress] = {}
        for place in places:
            at, known = committed.get(place, begins.get(place, 0)), found.get(place.topic, Progress(0, 0))
            found[place.topic] = Progress(known.waiting + max(0, ends[place] - at), known.at + at)
        return found

    async def _connect(self) -> None:
        if self._admin is None:
            admin = AIOKafkaAdminClient(
                client_id=self._client_id, request_timeout_ms=_REQUEST_MS, **client_options(self._connection)
            )
            await admin.start()
            self._admin = admin
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                client_id=self._client_id, request_timeout_ms=_REQUEST_MS, **client_options(self._connection)
            )
            await consumer.start()
            self._consumer = consumer

    async def _places(self, topics: Iterable[str]) -> list[TopicPartition]:
        wanted = set(topics)
        # Of all topics: asking by name may make a broker create it.
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await self._admin.describe_topics(None)
            if topic["topic"] in wanted and not topic["error_code"]
            for partition in topic["partitions"]
            if partition["leader"] >= 0
        ]

    async def _committed(self, group: str) -> dict[TopicPartition, int]:
        while True:
            try:
                offsets = await self._admin.list_consumer_group_offsets(group)
                break
            except GroupCoordinatorNotAvailableError:
                # A new broker makes the topic of offsets when it is asked first; a look bounds for how long.
                await asyncio.sleep(_AGAIN_S)
        return {place: found.offset for place, found in offsets.items() if found.offset >= 0}
