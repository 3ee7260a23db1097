"""The subscriber on Kafka: a plain consumer, for handlers in users' own services."""

import logging
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from app.adapters.kafka.reachability import reaching
from app.adapters.kafka.reading import ReadRecord, new_consumer
from app.domain.errors import UnreachableError
from app.domain.kafka_connection import KafkaConnection
from app.ports import Subscriber
from schemas.incoming import Incoming
from schemas.log_ids import of_record

log = logging.getLogger(__name__)

_FETCH_MS: Final = 1000
_AT_ONCE: Final = 20
_NAMED: Final = 5
# Its handlers may take long; that it lives is told by heartbeats, not by how often it fetches.
_LONGEST_HANDLING_MS: Final = 24 * 3_600_000
_REBALANCE_MS: Final = 30_000


class KafkaSubscriber(Subscriber):
    """One member of a consumer group; use it as an async context manager, or ``start`` and ``stop`` it.

    Args:
        connection: Where Kafka is and how it lets us in.
        group: The consumer group: members share the partitions, groups each get everything.
        client_id: Name in the broker's logs.
    """

    def __init__(self, connection: KafkaConnection, *, group: str, client_id: str = "headrace") -> None:
        self._connection = connection
        self._group = group
        self._client_id = client_id
        self._consumer: Any = None
        self._topics: frozenset[str] = frozenset()

    @property
    def group(self) -> str:
        """The consumer group."""
        return self._group

    async def start(self) -> None:
        """Connect.

        Raises:
            UnreachableError: No broker answers.
        """
        consumer = new_consumer(
            self._connection,
            group_id=self._group,
            client_id=self._client_id,
            max_poll_records=_AT_ONCE,
            max_poll_interval_ms=_LONGEST_HANDLING_MS,
            rebalance_timeout_ms=_REBALANCE_MS,
        )
        try:
            async with reaching(self._connection):
                await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer

    async def stop(self) -> None:
        """Leave the group; a second call does nothing."""
        consumer, self._consumer = self._consumer, None
        self._topics = frozenset()
        if consumer is not None:
            await consumer.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def follow(self, topics: Collection[str]) -> None:
        """Read these topics; see :class:`app.ports.Subscriber`."""
        if self._topics == frozenset(topics):
            return
        self._topics = frozenset(topics)
        if topics:
            self._running().subscribe(sorted(topics))
        else:
            self._running().unsubscribe()

    async def fetch(self) -> Sequence[Incoming]:
        """Return the next records; see :class:`app.ports.Subscriber`."""
        async with reaching(self._connection):
            found = await self._running().getmany(timeout_ms=_FETCH_MS)
        return [ReadRecord.of(message) for messages in found.values() for message in messages]

    async def done(self, records: Sequence[Incoming]) -> None:
        """Commit past records; see :class:`app.ports.Subscriber`."""
        assigned = self._running().assignment()
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            if place in assigned:
                offsets[place] = max(offsets.get(place, 0), record.offset + 1)
        if not offsets:
            return
        try:
            async with reaching(self._connection):
                await self._running().commit(offsets)
        except (UnreachableError, IllegalStateError) as error:
            if not isinstance(error.__cause__ or error, CommitFailedError | IllegalStateError):
                raise
            # The partition has gone to another member meanwhile, which reads these records again.
            said = {"group": self._group, "records": [of_record(one) for one in records[:_NAMED]], "why": str(error)}
            log.warning("records will be handled again: their partition has gone to another member", extra=said)

    def _running(self) -> Any:
        if self._consumer is None:
            raise UnreachableError("The Kafka consumer is not running")
        return self._consumer
