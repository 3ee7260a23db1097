"""What produces records to Kafka."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Record:
    """A record to produce; ``key`` decides the partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Sender(Protocol):
    """Produces records to Kafka.

    A record has a key or a value. Both methods raise ``UnreachableError`` where Kafka does not confirm (what was sent
    may or may not arrive) and ``InvalidError`` for a record over ``MAX_RECORD_BYTES``.
    """

    async def send(self, record: Record) -> None:
        """Produce one record; it is durable (acks=all) when this returns."""

    async def send_all(self, records: Sequence[Record]) -> None:
        """Produce records in the given order per partition; all are durable when this returns."""
