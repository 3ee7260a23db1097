"""Kafka in memory, as far as agents see it: topics with partitions, and consumer groups that read them.

    broker = LocalBroker()
    broker.create_topic("work", partitions=4)
    broker.append("work", b"value", key=b"k")

Who reads them is a :class:`~app.adapters.kafka.local_worker.LocalWorker`. A change in a group takes every partition
from every member first, as in the groups of our Faust apps.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol
from zlib import crc32

from app.adapters.kafka.frontier import DROPPED, Lane

_RECORD_BYTES: Final = 1024
_PLACE_BYTES: Final = 400


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as its partition keeps it."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: float


class LocalRecord:
    """A record as it was read, see :class:`schemas.incoming.Incoming`; it keeps its place in its reader's frontier."""

    __slots__ = ("headers", "key", "lane", "offset", "partition", "size", "state", "timestamp", "topic", "value")

    lane: Lane

    def __init__(self, place: Place, offset: int, kept: Kept) -> None:
        self.topic, self.partition = place
        self.offset = offset
        self.timestamp: float | None = kept.timestamp
        self.key, self.value = kept.key, kept.value
        self.headers: Sequence[tuple[str, bytes]] = kept.headers
        self.state = DROPPED
        self.size = _RECORD_BYTES + len(kept.key or b"") + len(kept.value or b"")
        self.size += sum(len(name) + len(value) for name, value in kept.headers)

    @property
    def place(self) -> Place:
        """Its partition."""
        return Place(self.topic, self.partition)

    def lighten(self) -> None:
        """Give up key, value and headers: the record is finished or dropped, and only keeps its place."""
        self.key = self.value = None
        self.headers = ()
        self.size = _PLACE_BYTES


class Member(Protocol):
    """A member of a group, as the group sees it."""

    @property
    def topics(self) -> frozenset[str]:
        """What it reads."""

    def wake(self) -> None:
        """Say that there may be something to read."""

    def close(self) -> None:
        """Begin nothing more; what has not begun is dropped."""

    async def hand_over(self) -> None:
        """Wait until what has begun is finished, and own nothing."""

    def assign(self, positions: dict[Place, int], generation: int) -> None:
        """Own these partitions from now on, and read from these offsets."""


@dataclass
class LocalGroup:
    """One consumer group: its members, and what it has committed."""

    broker: "LocalBroker"
    committed: dict[Place, int] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    generation: int = 0
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def join(self, member: Member) -> None:
        """Take a member in; returns when what the others had begun is finished and everybody has their partitions."""
        async with self._one_at_a_time:
            await self._give_up(self.members)
            self.members.append(member)
            self._share_out()

    async def leave(self, member: Member) -> None:
        """Let a member go, when what it has begun is finished."""
        member.close()
        async with self._one_at_a_time:
            await self._give_up(self.members)
            self.members.remove(member)
            self._share_out()

    async def _give_up(self, members: Sequence[Member]) -> None:
        for member in members:
            member.close()
        for member in members:
            await member.hand_over()

    def _share_out(self) -> None:
        self.generation += 1
        shares: dict[int, dict[Place, int]] = {id(member): {} for member in self.members}
        for turn, place in enumerate(self.broker.places()):
            takers = [member for member in self.members if place.topic in member.topics]
            if takers:
                shares[id(takers[turn % len(takers)])][place] = self.committed.get(place, 0)
        for member in self.members:
            member.assign(shares[id(member)], self.generation)


class LocalBroker:
    """Topics in memory.

    Args:
        clock: Seconds since 1970; a record's timestamp is when it was appended, unless its producer says another.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._logs: dict[Place, list[Kept]] = {}
        self._groups: dict[str, LocalGroup] = {}

    def create_topic(self, name: str, *, partitions: int = 1) -> None:
        """Create a topic; as with Kafka, who reads already sees it after the next change in their group."""
        for partition in range(partitions):
            self._logs.setdefault(Place(name, partition), [])

    def places(self) -> list[Place]:
        """Every partition of every topic, in order."""
        return sorted(self._logs)

    def append(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        timestamp: float | None = None,
    ) -> int:
        """Append a record and return its offset; the key decides the partition unless one is named.

        Raises:
            KeyError: There is no such topic, or no such partition of it.
        """
        count = sum(place.topic == topic for place in self._logs)
        chosen = crc32(key or b"") % max(count, 1) if partition is None else partition
        log = self._logs[Place(topic, chosen)]
        log.append(Kept(key, value, tuple(headers), self._clock() if timestamp is None else timestamp))
        for group in self._groups.values():
            for member in group.members:
                member.wake()
        return len(log) - 1

    def read(self, place: Place, offset: int, most: int) -> list[Kept]:
        """Return records of a partition from an offset on."""
        return self._logs[place][offset : offset + most]

    def group(self, name: str) -> LocalGroup:
        """Return a consumer group; a new one begins where each partition begins."""
        return self._groups.setdefault(name, LocalGroup(self))
