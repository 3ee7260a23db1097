"""Reading Kafka without Faust: what is off the critical path, such as handlers of users' services and previews."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer

from app.adapters.kafka.connecting import client_options
from app.domain.kafka_connection import KafkaConnection
from app.domain.record_times import NO_TIMESTAMP

_READ_COMMITTED: Final = "read_committed"


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record as it was read; see :class:`schemas.incoming.Incoming`."""

    topic: str
    partition: int
    offset: int
    timestamp: float | None
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

    @classmethod
    def of(cls, message: Any) -> Self:
        """Take over what aiokafka read; its timestamps are milliseconds."""
        stamp = message.timestamp
        timestamp = None if stamp is None or stamp == NO_TIMESTAMP else stamp / 1000
        headers = tuple(message.headers or ())
        return cls(message.topic, message.partition, message.offset, timestamp, message.key, message.value, headers)


def new_consumer(connection: KafkaConnection, *topics: str, **options: Any) -> Any:
    """Return a consumer, not started, that reads committed records and commits by hand; ``options`` are its own."""
    return AIOKafkaConsumer(
        *topics,
        **client_options(connection),
        isolation_level=_READ_COMMITTED,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **options,
    )
