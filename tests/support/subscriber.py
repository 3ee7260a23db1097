"""A subscriber over records in memory; it and the one on Kafka pass the same contract tests."""

import asyncio
from collections.abc import Collection, Sequence

from schemas.incoming import Incoming
from tests.support.records import FakeRecord
from tests.support.sender import MemorySender

_LOOK_S = 0.01
_AT_ONCE = 20


class MemoryGroup:
    """What a consumer group keeps: how far it is on each topic, which has one partition here.

    Args:
        sender: Where the records are.
        name: Of the group.
    """

    def __init__(self, sender: MemorySender, name: str = "members") -> None:
        self.name = name
        self.sender = sender
        self.committed: dict[str, int] = {}


class MemorySubscriber:
    """The one member of a group; see :class:`app.ports.Subscriber`."""

    def __init__(self, group: MemoryGroup) -> None:
        self._group = group
        self._positions: dict[str, int] = {}

    @property
    def group(self) -> str:
        """The consumer group."""
        return self._group.name

    async def follow(self, topics: Collection[str]) -> None:
        """Read these topics."""
        for topic in set(topics) - set(self._positions):
            self._positions[topic] = self._group.committed.get(topic, 0)
        for topic in set(self._positions) - set(topics):
            del self._positions[topic]

    async def fetch(self) -> Sequence[Incoming]:
        """Return the next records."""
        await asyncio.sleep(_LOOK_S)
        found: list[Incoming] = []
        for topic, position in self._positions.items():
            for offset, sent in enumerate(self._group.sender.on(topic)):
                if offset >= position and len(found) < _AT_ONCE:
                    found.append(FakeRecord(sent.value, sent.key, topic, 0, offset, headers=sent.headers))
                    self._positions[topic] = offset + 1
        return found

    async def done(self, records: Sequence[Incoming]) -> None:
        """Go past records."""
        for record in records:
            before = self._group.committed.get(record.topic, 0)
            self._group.committed[record.topic] = max(before, record.offset + 1)
