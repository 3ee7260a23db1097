"""Producing a batch so that what Kafka refuses is found, and the rest goes on (see :class:`app.ports.Sender`)."""

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

from app.adapters.kafka.sendable import flaw
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


class Producing:
    """What a producer that has started does with records.

    Args:
        producer: The producer of aiokafka.
    """

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._topics = TopicLookup(producer.client)

    async def answers(self) -> bool:
        """Whether a broker answers."""
        return bool(await self._producer.client.force_metadata_update())

    async def deliver(self, records: Sequence[Record]) -> list[Refusal | None]:
        """Produce records; see :class:`app.ports.Sender`."""
        batch = _Batch(records)
        for topic in {records[at].topic for at in batch.left()}:
            if not self._topics.knows(topic):
                batch.unknown.add(topic)
        await self._produce(batch, batch.left(of_unknown=False))
        if batch.unknown:
            # What can be sent has been: a topic that does not exist costs the others nothing.
            batch.refuse_topics(await self._topics.missing(batch.unknown), _ABSENT)
            await self._produce(batch, batch.left(of_unknown=True))
        return batch.refusals

    async def _produce(self, batch: "_Batch", places: Sequence[int]) -> None:
        sent: dict[int, asyncio.Future[Any]] = {}
        try:
            for at in places:
                sent[at] = await self._send(batch.records[at])
        except KafkaError as error:
            await asyncio.gather(*sent.values(), return_exceptions=True)
            raise _unconfirmed(error, batch.records[at]) from error
        await self._confirmed(batch, sent)
        await self._alone(batch, [at for at, future in sent.items() if self._is_refused(batch, at, future)])

    async def _send(self, record: Record) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = await self._producer.send(
            record.topic, record.value, record.key, headers=list(record.headers)
        )
        return future

    async def _confirmed(self, batch: "_Batch", sent: dict[int, asyncio.Future[Any]]) -> None:
        """Wait until each is confirmed or given up; a topic that has been deleted is not waited for."""
        waiting = set(sent.values())
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=_LOOK_AFTER_S)
            late = {at for at, future in sent.items() if future in waiting or isinstance(_error(future), _NOWHERE)}
            gone = {topic for topic in batch.topics(late) if not self._topics.knows(topic)}
            if gone:
                batch.refuse_topics(await self._topics.missing(gone), _ABSENT)
            for at in late:
                if batch.refusals[at] is not None:
                    sent[at].cancel()  # what it would say is known already
                    waiting.discard(sent[at])

    def _is_refused(self, batch: "_Batch", at: int, future: asyncio.Future[Any]) -> bool:
        """Whether a record is to be tried alone, because it or one of its batch is at fault."""
        error = _error(future)
        if error is None or batch.refusals[at] is not None:
            return False
        if isinstance(error, TopicAuthorizationFailedError):
            batch.refusals[at] = _FORBIDDEN
            return False
        if not isinstance(error, _REFUSED):
            raise _unconfirmed(error, batch.records[at]) from error
        return True

    async def _alone(self, batch: "_Batch", places: Iterable[int]) -> None:
        for at in places:
            try:
                await (await self._send(batch.records[at]))
            except _REFUSED as error:
                said = f"the broker answered {error}"[:500]
                batch.refusals[at] = Refusal("too_large" if isinstance(error, _TOO_LARGE) else "refused", said)
            except KafkaError as error:
                raise _unconfirmed(error, batch.records[at]) from error


class _Batch:
    """Records, and what is known about each: why it is refused, and the topics that are not known."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.refusals = [flaw(record) for record in records]
        self.unknown: set[str] = set()

    def left(self, *, of_unknown: bool | None = None) -> list[int]:
        """Places of records that are not refused; only those of unknown topics, only the others, or all."""
        return [
            at
            for at, (record, refusal) in enumerate(zip(self.records, self.refusals, strict=True))
            if refusal is None and (of_unknown is None or (record.topic in self.unknown) is of_unknown)
        ]

    def topics(self, places: Iterable[int]) -> set[str]:
        """Topics of some records."""
        return {self.records[at].topic for at in places}

    def refuse_topics(self, topics: set[str], why: Refusal) -> None:
        """Refuse all records of some topics."""
        for at, record in enumerate(self.records):
            if record.topic in topics:
                self.refusals[at] = why


def _error(future: asyncio.Future[Any]) -> BaseException | None:
    return future.exception() if future.done() and not future.cancelled() else None


def _unconfirmed(error: BaseException, record: Record) -> BaseException:
    if isinstance(error, KafkaError):
        return UnreachableError(f"Kafka did not confirm a record for {record.topic} ({type(error).__name__})")
    return error
