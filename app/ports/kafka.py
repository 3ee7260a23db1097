"""What produces records to Kafka, and what reads them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.incoming import Incoming

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


class Subscriber(Protocol):
    """Reads topics as one member of a consumer group: at least once, in order within a partition.

    All methods raise ``UnreachableError`` where Kafka does not answer.
    """

    @property
    def group(self) -> str:
        """The consumer group."""

    async def follow(self, topics: Collection[str]) -> None:
        """Read these topics and no others, from where the group is, a new group from the beginning."""

    async def fetch(self) -> Sequence[Incoming]:
        """Return the next records, some dozens at most; none where none have come within a second."""

    async def done(self, records: Sequence[Incoming]) -> None:
        """Let the group go past records: what is not done comes again, to whoever reads the partition then."""
