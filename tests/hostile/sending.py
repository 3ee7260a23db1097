"""Sends good and hostile records, mixed, at a steady rate, and notes where each hostile one lies."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from tests.faults.job import Job
from tests.hostile.good import dressed
from tests.hostile.kinds import Drawn, Shot
from tests.integration.poison import produce_odd_names

# What Kafka takes is bounded by what is left after compression; our records may be larger than that before.
_MOST_BYTES: Final = 16 * 1024 * 1024

Place = tuple[str, int, int]


@asynccontextmanager
async def open_producer(servers: str) -> AsyncIterator[Any]:
    """Open a producer that checks nothing and compresses, as many do."""
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, acks="all", compression_type="lz4", max_request_size=_MOST_BYTES
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def put(producer: Any, shot: Shot) -> Place:
    """Produce a record; returns where it lies once it is there."""
    record = shot.record
    sent = await producer.send(
        record.topic, record.value, record.key, headers=list(record.headers), timestamp_ms=shot.at_ms
    )
    stored = await sent
    return stored.topic, stored.partition, stored.offset


@dataclass(slots=True)
class Barrage:
    """Everything that is sent in one run.

    Args:
        servers: Kafka's bootstrap servers.
        job: Makes the good events.
        topic_of: Where a good event of a type goes.
        bad: The hostile records.
        chance: Decides on order and outfits.
        places: Where each hostile record lies, once it is there.
    """

    servers: str
    job: Job
    topic_of: Callable[[str], str]
    bad: Sequence[Drawn]
    chance: Random
    places: dict[Place, Drawn] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        """How many records are sent, of ``count``."""
        return self.job.emitted + len(self.places)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.job.count + len(self.bad)

    async def send(self, rate: float) -> None:
        """Send all of them; the good ones of an entity in their order."""
        turns: list[Drawn | None] = [*self.bad, *([None] * self.job.count)]
        self.chance.shuffle(turns)
        started = time.monotonic()
        async with open_producer(self.servers) as producer:
            for number, drawn in enumerate(turns):
                await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
                if drawn is None:
                    await self._send_good(producer)
                else:
                    self.places[await self._put(producer, drawn.shot)] = drawn

    async def _send_good(self, producer: Any) -> None:
        event = self.job.event(self.job.emitted)
        topic = self.topic_of(event["type"])
        foreign = event["type"] in self.job.sources
        for shot in dressed(topic, event, self.chance, foreign=foreign):
            await self._put(producer, shot)
        self.job.emitted += 1

    async def _put(self, producer: Any, shot: Shot) -> Place:
        return await (self._put_odd(producer, shot) if shot.odd_name else put(producer, shot))

    async def _put_odd(self, producer: Any, shot: Shot) -> Place:
        record = shot.record
        partitions = sorted(await producer.partitions_for(record.topic))
        partition = DefaultPartitioner()(record.key, partitions, partitions)
        (offset,) = await produce_odd_names(self.servers, [replace(record, headers=())], partition)
        return record.topic, partition, offset
