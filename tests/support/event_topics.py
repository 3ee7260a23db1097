"""Topics of events in memory, as strict as Kafka's where it matters; both pass the same contract tests."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka.partitioner import murmur2

from app.adapters.kafka.reading import ReadRecord
from app.domain.errors import UnreachableError
from app.ports.event_topics import Chunk, Kept, TopicPlace


class MemoryEventTopics:
    """Topics that a test fills.

    Attributes:
        partitions: Of each topic.
        reachable: Set it to False, and every look fails as with a broker that is down.
        finished: Up to where the matchers are; partitions that are not in it they have wholly read.
        looks: How many are open at this moment, and how many were at most; ``opened``: how many there were.
        chunk: Records that come at once.
        free: Clear it, and looks wait until it is set.
    """

    def __init__(self, topics: Sequence[str] = (), partitions: int = 2) -> None:
        self.partitions = partitions
        self.reachable = True
        self.finished: dict[TopicPlace, int] = {}
        self.looks = 0
        self.most_looks = 0
        self.opened = 0
        self.chunk = 10
        self.free = asyncio.Event()
        self.free.set()
        self._existing = set(topics)
        self._records: dict[TopicPlace, list[ReadRecord]] = defaultdict(list)
        self._begins: dict[TopicPlace, int] = defaultdict(int)

    def put(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        at: float,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> ReadRecord:
        """Append a record, and return it."""
        self._existing.add(topic)
        number = self.home((key or b"").decode(), self.partitions) if partition is None else partition
        place = TopicPlace(topic, number)
        offset = self._begins[place] + len(self._records[place])
        record = ReadRecord(topic, number, offset, at, key, value, tuple(headers))
        self._records[place].append(record)
        return record

    def drop(self, place: TopicPlace, count: int) -> None:
        """Delete the oldest records of a partition, as retention does."""
        self._begins[place] += count
        del self._records[place][:count]

    def clear(self) -> None:
        """Be empty again."""
        self._records.clear()
        self._begins.clear()
        self.finished.clear()

    def home(self, entity: str, partitions: int) -> int:
        """Return the partition that Kafka's own partitioner gives an entity's records."""
        return int((murmur2(entity.encode()) & 0x7FFFFFFF) % partitions)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["MemoryEventTopics"]:
        """Look at them."""
        self._check()
        self.looks += 1
        self.opened += 1
        self.most_looks = max(self.most_looks, self.looks)
        try:
            await self.free.wait()
            yield self
        finally:
            self.looks -= 1

    async def kept(self, topics: Sequence[str], since: float | None) -> Mapping[TopicPlace, Kept]:
        """Return what there is to read."""
        self._check()
        found = {}
        for topic in topics:
            for number in range(self.partitions if topic in self._existing else 0):
                place = TopicPlace(topic, number)
                records, begin = self._records[place], self._begins[place]
                end = begin + len(records)
                later = [one.offset for one in records if since is None or (one.timestamp or 0.0) >= since]
                found[place] = Kept(begin, later[0] if later else begin if since is None else end, end)
        return found

    async def read(self, spans: Mapping[TopicPlace, tuple[int, int]]) -> AsyncIterator[Chunk]:
        """Read the spans, partition after partition."""
        positions = {place: at for place, (at, _) in spans.items()}
        for place, (start, end) in spans.items():
            at = start
            while at < end:
                self._check()
                upto = min(end, at + self.chunk)
                positions[place] = upto
                yield Chunk([one for one in self._records[place] if at <= one.offset < upto], dict(positions))
                at = upto

    async def matched(self) -> Mapping[TopicPlace, int]:
        """Return up to which offset the matchers have finished."""
        self._check()
        ends = {place: self._begins[place] + len(records) for place, records in self._records.items()}
        return {**ends, **self.finished}

    def _check(self) -> None:
        if not self.reachable:
            raise UnreachableError("Kafka does not answer (told so by the test)")
