"""A partition that holds too much unfinished is paused; the others of the same agent go on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import REGISTRY

from app.adapters.kafka.budget import MIB
from app.processes.faust_app import Tuning
from tests.integration.transport.apps import Place, Reader, numbered, running, tp
from tests.support.waiting import eventually

pytestmark = pytest.mark.kafka

KB = 1000


@asynccontextmanager
async def releasing(app: Any, reader: Reader) -> AsyncIterator[None]:
    """Run an app; what its reader holds is released at the end, or the app would not stop after a failure."""
    async with running(app):
        try:
            yield
        finally:
            reader.release.set()


async def test_past_the_budget_the_partition_is_paused_and_the_others_go_on(place: Place) -> None:
    """What was fetched stays, the metrics say so, the watchdog sees no stall, and it goes on when there is room."""
    hot = [f"hot {number} ".ljust(KB) for number in range(3000)]
    await place.produce(*hot, partition=0)
    reader = Reader(hold=lambda value: value.startswith("hot"))
    app = place.ours(reader, tuning=Tuning(buffer_bytes=200 * KB))
    async with releasing(app, reader):
        await eventually(lambda: app.consumer.budget.paused == {tp(place, 0)})
        assert REGISTRY.get_sample_value("headrace_worker_paused_partitions") == 1
        await place.produce(*numbered(500), partition=1)
        await eventually(lambda: reader.seen == numbered(500))
        assert app.consumer.budget.paused == {tp(place, 0)}
        assert tp(place, 0) not in (await app.consumer.reading()).positions
        assert len(reader.holding) <= 600, "what one fetch brings beside the budget"
        reader.release.set()
        await eventually(place.nothing_left)
    assert [value for value in reader.seen if value in set(hot)] == hot
    assert app.consumer.budget.paused == frozenset()


async def test_what_is_finished_behind_a_slow_head_holds_no_bytes(place: Place) -> None:
    """A megabyte behind a head that is stuck: its places are kept, its bytes are not, and nobody is paused."""
    await place.produce("hot", *(f"cold {number} ".ljust(KB) for number in range(1000)), partition=0)
    reader = Reader(hold=lambda value: value == "hot")
    app = place.ours(reader, tuning=Tuning(buffer_bytes=2000 * KB))
    async with releasing(app, reader):
        await eventually(lambda: reader.has_seen(1000))
        held, records = app.consumer.frontier.held()[tp(place, 0)]
        assert records == 1001
        assert held < 500 * KB
        assert REGISTRY.get_sample_value("headrace_worker_held_bytes") == held
        assert app.consumer.budget.pauses == 0
        reader.release.set()
        await eventually(place.nothing_left)


async def test_large_records_come_few_at_a_time(place: Place) -> None:
    """Compressed to nothing, 500 of 200 kB would fit one fetch and one poll: 100 MB at once, whatever the budget."""
    async with AIOKafkaProducer(bootstrap_servers=place.kafka, compression_type="gzip") as producer:
        for number in range(500):
            await producer.send(place.topic, b"%d " % number * 60_000, partition=0)
        await producer.flush()
    reader = Reader(hold=lambda _: True)
    app = place.ours(reader, tuning=Tuning(buffer_bytes=8 * MIB))
    async with releasing(app, reader):
        await eventually(lambda: app.consumer.budget.paused, within=30)
        assert app.consumer.frontier.held()[tp(place, 0)][0] <= 32 * MIB
        assert max(reader.batches) <= 130
        reader.hold = lambda _: False
        reader.release.set()
        await eventually(place.nothing_left, within=60)
    assert max(reader.batches[1:]) <= 45
    assert len(reader.seen) == 500
