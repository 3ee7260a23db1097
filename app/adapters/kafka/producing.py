"""Producing a batch so that what Kafka refuses is found, and the rest goes on (see :class:`app.ports.Sender`).

Records of one partition share a batch of aiokafka's and its one future: a future each, and what aiokafka looks at
with each, cost more than all else that is done for a record (docs/decisions/one-future-a-batch.md).
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from aiokafka.errors import (
    CorruptRecordException,
    InvalidTimestampError,
    InvalidTopicError,
    KafkaError,
    LeaderNotAvailableError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    PolicyViolationError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownError,
    UnknownTopicOrPartitionError,
    UnsupportedForMessageFormatError,
)
from aiokafka.structs import TopicPartition

from app.adapters.kafka.aiokafka_private import WaitingBatches
from app.adapters.kafka.outgoing import Outgoing
from app.adapters.kafka.partitioning import Partitions
from app.adapters.kafka.topic_lookup import TopicLookup
from app.domain.errors import UnreachableError
from app.ports import Record, Refusal

_LOOK_AFTER_S: Final = 1.0
_TOO_LARGE: Final = (MessageSizeTooLargeError, RecordListTooLargeError)
# The broker refuses a batch as a whole. Newer codes than aiokafka knows (INVALID_RECORD is one) come as UnknownError;
# whether it is the record's fault shows when it is sent alone.
_REFUSED: Final = (
    *_TOO_LARGE,
    CorruptRecordException,
    InvalidTimestampError,
    InvalidTopicError,
    PolicyViolationError,
    UnknownError,
    UnsupportedForMessageFormatError,
)
_NOWHERE: Final = (UnknownTopicOrPartitionError, NotLeaderForPartitionError, LeaderNotAvailableError)
_FORBIDDEN: Final = Refusal("no_topic", "this client may not write to the topic; see `headrace topics --acls`")
_ABSENT: Final = Refusal(
    "no_topic", "the topic does not exist, or this client may not see it; see `headrace topics`, and --acls"
)

# Which records a batch of aiokafka's holds, by what it comes to.
_Sent = dict[asyncio.Future[Any], list[int]]


class Producing:
    """What a producer that has started does with records.

    Args:
        producer: The producer of aiokafka.
    """

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._waiting = WaitingBatches(producer)
        self._topics = TopicLookup(producer.client)

    @property
    def died(self) -> bool:
        """Whether the producer has died of an error of its own: it takes nothing any more, ever."""
        return self._waiting.died_of is not None

    async def answers(self) -> bool:
        """Whether a broker answers."""
        return bool(await self._producer.client.force_metadata_update())

    async def deliver(self, records: Sequence[Record]) -> list[Refusal | None]:
        """Produce records; see :class:`app.ports.Sender`."""
        out = Outgoing(records)
        for topic in out.topics(out.left()):
            if not self._topics.knows(topic):
                out.unknown.add(topic)
        await self._produce(out, out.left(of_unknown=False))
        if out.unknown:
            # What can be sent has been: a topic that does not exist costs the others nothing.
            out.refuse_topics(await self._topics.missing(out.unknown), _ABSENT)
            await self._produce(out, out.left(of_unknown=True))
        return out.refusals

    async def _produce(self, out: Outgoing, places: Sequence[int]) -> None:
        """Send what fits in a batch a partition, then, when that has arrived, what is left: so its order holds.

        Whatever of a batch is refused has been sent alone, or given up, before anything follows it.
        """
        partitions = await self._partitions(out, places)
        while places:
            sent, places = self._join(out, places, partitions)
            if sent:
                await self._confirmed(out, sent)
                await self._alone(out, self._refused(out, sent), partitions)
            else:
                await self._room(out, places[0], partitions)

    async def _partitions(self, out: Outgoing, places: Sequence[int]) -> dict[str, Partitions]:
        cluster = self._producer.client.cluster
        found: dict[str, Partitions] = {}
        for at in places:
            record = out.records[at]
            if record.topic not in found:
                try:
                    numbers = await self._producer.partitions_for(record.topic)
                except KafkaError as error:
                    raise _unconfirmed(error, record) from error
                found[record.topic] = Partitions(record.topic, numbers, cluster.available_partitions_for_topic)
        return found

    def _join(self, out: Outgoing, places: Sequence[int], partitions: dict[str, Partitions]) -> tuple[_Sent, list[int]]:
        """Put records into batches; returns which are in each, and those whose partition's batch has no more room."""
        sent: _Sent = {}
        left: list[int] = []
        full: set[TopicPartition] = set()
        for at in places:
            record = out.records[at]
            place = partitions[record.topic].of(record.key)
            future = None if place in full else self._add(place, record)
            if future is None:
                full.add(place)
                left.append(at)
            else:
                sent.setdefault(future, []).append(at)
        return sent, left

    def _add(self, place: TopicPartition, record: Record) -> "asyncio.Future[Any] | None":
        try:
            return self._waiting.join(place, record.key, record.value, list(record.headers))
        except KafkaError as error:
            raise _unconfirmed(error, record) from error

    async def _room(self, out: Outgoing, at: int, partitions: dict[str, Partitions]) -> None:
        """Wait while the batch of a partition is full with what others send."""
        record = out.records[at]
        try:
            await self._waiting.room(partitions[record.topic].of(record.key))
        except KafkaError as error:
            raise _unconfirmed(error, record) from error

    async def _confirmed(self, out: Outgoing, sent: _Sent) -> None:
        """Wait until each is confirmed or given up; a topic that has been deleted is not waited for."""
        waiting = set(sent)
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=_LOOK_AFTER_S)
            late = [future for future in sent if future in waiting or isinstance(_error(future), _NOWHERE)]
            gone = {topic for topic in out.topics(sent[one][0] for one in late) if not self._topics.knows(topic)}
            if gone:
                out.refuse_topics(await self._topics.missing(gone), _ABSENT)
            # What they would say is known already.
            waiting = {future for future in waiting if out.refusals[sent[future][0]] is None}

    def _refused(self, out: Outgoing, sent: _Sent) -> list[int]:
        """Return the records that are to be tried alone, because they or one of their batch are at fault."""
        suspects: list[int] = []
        for future, places in sent.items():
            error = _error(future)
            if error is None or out.refusals[places[0]] is not None:
                continue
            if isinstance(error, TopicAuthorizationFailedError):
                out.refuse(places, _FORBIDDEN)
            elif isinstance(error, _REFUSED):
                suspects += places
            else:
                raise _unconfirmed(error, out.records[places[0]]) from error
        return sorted(suspects)

    async def _alone(self, out: Outgoing, suspects: Iterable[int], partitions: dict[str, Partitions]) -> None:
        for at in suspects:
            record = out.records[at]
            try:
                await (await self._send_alone(record, partitions[record.topic].of(record.key)))
            except _REFUSED as error:
                said = f"the broker answered {error}"[:500]
                out.refuse([at], Refusal("too_large" if isinstance(error, _TOO_LARGE) else "refused", said))
            except KafkaError as error:
                raise _unconfirmed(error, record) from error

    async def _send_alone(self, record: Record, place: TopicPartition) -> asyncio.Future[Any]:
        """Send a batch that nobody can add to, so that what is wrong with it is wrong with this record."""
        batch = self._producer.create_batch()
        batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
        batch.close()
        future: asyncio.Future[Any] = await self._producer.send_batch(batch, record.topic, partition=place.partition)
        return future


def _error(future: asyncio.Future[Any]) -> BaseException | None:
    return future.exception() if future.done() and not future.cancelled() else None


def _unconfirmed(error: BaseException, record: Record) -> BaseException:
    if isinstance(error, KafkaError):
        return UnreachableError(f"Kafka did not confirm a record for {record.topic} ({type(error).__name__})")
    return error
