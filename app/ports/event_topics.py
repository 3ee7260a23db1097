"""The topics of events, read by place and time: for people who look for an event, never on the path that runs it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from schemas.incoming import Incoming


class TopicPlace(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Kept(NamedTuple):
    """What of a partition can be read: offsets from ``begin`` to before ``end``.

    Attributes:
        since: The first offset whose record is of the asked moment, or later; ``end`` where there is none.
    """

    begin: int
    since: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some records, and for each partition that is read the next offset to read."""

    records: Sequence[Incoming]
    positions: Mapping[TopicPlace, int]


class EventReader(Protocol):
    """One connected look at the topics. It commits nothing and joins no group."""

    async def kept(self, topics: Sequence[str], since: float | None) -> Mapping[TopicPlace, Kept]:
        """Return what there is to read, of those of the topics that exist; ``since`` is in seconds since 1970."""

    def read(self, spans: Mapping[TopicPlace, tuple[int, int]]) -> AsyncIterator[Chunk]:
        """Read from offset to before offset, each partition in its order; ends once all are read.

        A chunk comes at least a few times a second, if need be without records, so that who reads can stop.
        """

    async def matched(self) -> Mapping[TopicPlace, int]:
        """Return up to which offset the matchers have finished; partitions of which nothing is known are left out."""


class EventTopics(Protocol):
    """Where the topics are read."""

    def open(self) -> AbstractAsyncContextManager[EventReader]:
        """Connect for the length of the block.

        Raises:
            UnreachableError: Kafka does not answer, also later in the block.
        """

    def home(self, entity: str, partitions: int) -> int:
        """Return the partition that Kafka's own partitioner gives an entity's records."""
