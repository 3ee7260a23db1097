"""What the watchdog reads of a running consumer, and that it ends a worker that is stuck."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from app.adapters.kafka.stall import StallPolicy
from app.adapters.kafka.watchdog import Watchdog
from app.ports.record_source import RecordSource
from app.processes.faust_app import Tuning
from tests.integration.transport.apps import Place, Reader, numbered, ready, running, running_beside, tp
from tests.integration.transport.processes import worker
from tests.support.waiting import eventually

pytestmark = pytest.mark.kafka


async def position(app: Any, place: Place) -> tuple[int | None, int]:
    """Position and end of the test's first partition, as the watchdog reads them."""
    reading = await app.consumer.reading()
    return reading.positions[tp(place, 0)], reading.ends[tp(place, 0)]


async def test_the_markers_of_transactions_do_not_look_like_a_stall(place: Place) -> None:
    """After an aborted transaction at the end of a partition the position reaches the end, markers and all."""
    reader = Reader()
    app = place.ours(reader)
    async with running(app):
        await place.produce("plain", partition=0)
        async with AIOKafkaProducer(bootstrap_servers=place.kafka, transactional_id=f"{place.prefix}tx") as producer:
            await producer.begin_transaction()
            await producer.send_and_wait(place.topic, b"aborted", partition=0)
            await producer.abort_transaction()

        async def at_the_end() -> bool:
            return await position(app, place) == (3, 3)

        await eventually(at_the_end)
        assert reader.seen == ["plain"]


async def test_a_full_buffer_is_left_out_and_its_oldest_record_is_named(place: Place) -> None:
    """Partitions held back on purpose are not watched for moving; that nothing is finished is seen all the same."""
    blocked = asyncio.Event()

    async def stuck(source: RecordSource[Any]) -> None:
        await blocked.wait()
        await Reader()(source)

    await place.produce(*numbered(300), partition=0)
    app = place.ours(stuck, tuning=Tuning(buffer_records=100))
    async with running(app):
        await eventually(lambda: not app.consumer.fetchable())
        reading = await app.consumer.reading()
        assert dict(reading.positions) == {}
        assert reading.oldest[:2] == (tp(place, 0), 0)
        blocked.set()
        await eventually(place.nothing_left)
        assert (await app.consumer.reading()).oldest is None


async def test_a_rebalance_that_waits_for_what_has_begun_is_no_stall(place: Place) -> None:
    """Nothing is fetched meanwhile, however long that takes: it counts as a record that is held, and no other way."""
    await place.produce("held", partition=0)
    first, second = Reader(hold=lambda _: True), Reader()
    old, new = place.ours(first), place.ours(second, instance="2")
    async with running(old):
        await eventually(lambda: first.holding)
        async with running_beside(new):
            try:
                await eventually(lambda: old.rebalancing)
                await place.produce("behind", partition=0)
                reading = await old.consumer.reading()
            finally:
                first.release.set()
            await eventually(lambda: ready(old) and ready(new))
            await eventually(place.nothing_left)
    assert tp(place, 0) not in reading.positions
    assert reading.oldest[:2] == (tp(place, 0), 0)


async def test_an_agent_that_hangs_is_noticed(place: Place) -> None:
    """A record that begins and never ends is reported by partition and offset."""
    await place.produce("hangs", partition=0)
    reader = Reader(hold=lambda _: True)
    app = place.ours(reader)
    ended: list[str] = []
    dog = Watchdog(
        lambda: app.consumer, StallPolicy(still_seconds=60, hold_seconds=0.2, asleep_seconds=40), end=ended.append
    )
    async with running(app):
        await eventually(lambda: reader.holding)

        async def noticed() -> bool:
            await dog.look()
            return bool(ended)

        await eventually(noticed)
        reader.release.set()
    assert "the record at offset 0 of" in ended[0]


async def test_a_stuck_worker_ends_with_a_line_that_says_why(place: Place) -> None:
    """The process ends by itself with code 75, without waiting for what is stuck; the next one reads the record."""
    await place.produce("hang", partition=0)
    async with worker(place, "1", hold=1.0) as process:
        assert await process.ended() == 75
        assert any("stuck; " in line and "the record at offset 0" in line for line in process.errors)
    reader = Reader()
    async with running(place.ours(reader)):
        await eventually(place.nothing_left)
    assert reader.seen == ["hang"]
