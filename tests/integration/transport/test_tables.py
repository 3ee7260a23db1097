"""A GlobalTable beside agents, on our transport."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from tests.integration.transport.apps import Place, Reader, numbered, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.kafka


class Table:
    """A table that somebody else writes, and what it has seen."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []

    def __call__(self, app: Any) -> None:
        """Register it with an app."""
        app.GlobalTable(
            "things",
            key_type=bytes,
            value_type=bytes,
            partitions=1,
            recovery_buffer_size=1,
            on_changelog_event=self._note,
        )

    async def _note(self, event: Any) -> None:
        message = event.message
        self.seen.append((message.key.decode(), None if message.value is None else message.value.decode()))


async def write(place: Place, *entries: tuple[str, str | None]) -> None:
    """Produce straight to the changelog."""
    async with AIOKafkaProducer(bootstrap_servers=place.kafka) as producer:
        for key, value in entries:
            encoded = None if value is None else value.encode()
            await producer.send(f"{place.group}-things-changelog", encoded, key.encode())
        await producer.flush()


async def test_two_workers_see_every_change_while_they_work(place: Place) -> None:
    """Recovered, live and after a rebalance: each table gets every update and tombstone, and no record is lost."""
    await place.create_topic(f"{place.group}-things-changelog", 1, **{"cleanup.policy": "compact"})
    before = [("a", "1"), ("b", "1"), ("c", None)]
    during = [(f"k{number}", str(number)) for number in range(50)]
    after = [("a", "2"), ("b", None)]
    first, second, reader = Table(), Table(), Reader()
    await write(place, *before)
    await place.produce(*numbered(100))
    async with running(place.ours(reader, tables=[first])):
        writing = asyncio.create_task(write(place, *during))
        async with running(place.ours(reader, instance="2", tables=[second])):
            await writing
            await write(place, *after)
            await place.produce(*numbered(100, start=100))
            await eventually(lambda: first.seen[-1:] == second.seen[-1:] == after[-1:])
            await eventually(place.nothing_left)
    for table in (first, second):
        assert {*before, *during, *after} <= set(table.seen)
        assert dict(table.seen)["a"] == "2"
    assert sorted(reader.seen) == sorted(numbered(200))
    assert not any("changelog" in topic for topic in await committed_topics(place))


async def committed_topics(place: Place) -> set[str]:
    """Topics that the group has committed offsets of."""
    client = AIOKafkaAdminClient(bootstrap_servers=place.kafka)
    await client.start()
    try:
        return {tp.topic for tp in await client.list_consumer_group_offsets(place.group)}
    finally:
        await client.close()
