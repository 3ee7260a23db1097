"""What is fetched, and how."""

import asyncio
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from app.ports.record_source import RecordSource
from app.processes.faust_app import AgentSpec, Tuning
from tests.integration.transport.apps import Place, Reader, numbered, running
from tests.support.beginning import begun
from tests.support.waiting import eventually

pytestmark = pytest.mark.kafka


async def write_a_transaction(place: Place, *, commit: bool, values: list[str]) -> None:
    """Produce values in one transaction."""
    async with AIOKafkaProducer(bootstrap_servers=place.kafka, transactional_id=f"{place.prefix}tx") as producer:
        await producer.begin_transaction()
        await asyncio.gather(*[await producer.send(place.topic, value.encode(), b"k") for value in values])
        await (producer.commit_transaction() if commit else producer.abort_transaction())


async def test_records_of_an_aborted_transaction_are_never_delivered(place: Place) -> None:
    """read_committed: only what its producer committed reaches an agent, and the commit passes the markers."""
    await write_a_transaction(place, commit=False, values=["aborted"])
    await write_a_transaction(place, commit=True, values=["committed", "last"])
    reader = Reader()
    async with running(place.ours(reader)):
        await eventually(lambda: "last" in reader.seen)
    assert reader.seen == ["committed", "last"]


async def test_stock_faust_delivers_aborted_records(place: Place) -> None:
    """What the correction is for: Faust hard-codes read_uncommitted."""
    await write_a_transaction(place, commit=False, values=["aborted"])
    await place.produce("last", key="k")
    seen: list[str] = []

    async def agent(stream: Any) -> None:
        async for event in stream.events():
            seen.append(event.value.decode())  # noqa: PERF401  # watched while it grows

    async with running(place.stock(agent)):
        await eventually(lambda: "last" in seen)
    assert seen == ["aborted", "last"]


async def test_the_fetcher_gets_our_settings(place: Place) -> None:
    """The fetcher waits for bytes as told; Faust offers no such setting."""
    app = place.ours(Reader(), tuning=Tuning(fetch_min_bytes=1234, fetch_max_wait_ms=56))
    async with running(app):
        fetcher = app.consumer._thread._consumer._fetcher  # noqa: SLF001  # what aiokafka really uses
        assert (fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms) == (1234, 56)  # noqa: SLF001  # the same
        assert fetcher._isolation_level == 1  # noqa: SLF001  # the same; 1 is read_committed on the wire


async def test_fetches_name_only_what_changed(place: Place) -> None:
    """A consumer of several partitions reads on in one session of the broker's, and misses nothing."""
    reader = Reader()
    app = place.ours(reader)
    async with running(app):
        for round_ in range(5):
            await place.produce(*(f"{round_}-{value}" for value in numbered(20)))
            await eventually(partial(reader.has_seen, 20 * (round_ + 1)))
        sessions = app.consumer._thread._consumer._fetcher._client._sessions  # noqa: SLF001  # nothing else shows them
        (session,) = sessions.values()
        assert session._id > 0  # noqa: SLF001  # the same; 0 would be none
        assert session._epoch >= 5  # noqa: SLF001  # the same; it counts the fetches of this session


async def test_a_record_larger_than_a_fetch_comes_all_the_same(place: Place) -> None:
    """What is fetched of a partition at once is bounded, but a record may be larger than that (KIP-74)."""
    large = "x" * 1_000_000
    await place.produce("first", large, "last", key="k")
    reader = Reader()
    async with running(place.ours(reader)):
        await eventually(lambda: "last" in reader.seen)
    assert reader.seen == ["first", large, "last"]


async def test_what_has_arrived_comes_as_one_batch(place: Place) -> None:
    """A backlog is read in batches, not one record at a time, in order, and all of it is committed."""
    await place.produce(*numbered(300), key="k")
    reader = Reader()
    async with running(place.ours(reader)):
        await eventually(lambda: len(reader.seen) == 300)
        await eventually(place.nothing_left)
    assert reader.seen == numbered(300)
    assert len(reader.batches) < 10


@pytest.mark.parametrize("ack", ["by hand", "by the stream"])
async def test_ordinary_streams_work_as_well(place: Place, ack: str) -> None:
    """An agent that reads Faust's events, not batches, gets every record, and its acks count."""
    await place.produce(*numbered(150), key="k")
    seen: list[str] = []

    async def agent(stream: Any) -> None:
        async for event in (stream.noack() if ack == "by hand" else stream).events():
            seen.append(event.value.decode())
            if ack == "by hand":
                event.ack()

    async with running(place.ours_with_events(agent)):
        await eventually(lambda: len(seen) == 150)
        await eventually(place.nothing_left)
    assert seen == numbered(150)


async def test_a_full_buffer_holds_back_the_fetch_and_loses_nothing(place: Place) -> None:
    """With an agent that is stuck, no more than its buffer and one fetch pile up; afterwards everything arrives."""
    blocked = asyncio.Event()
    reader = Reader()

    async def stuck(source: RecordSource[Any]) -> None:
        await blocked.wait()
        await reader(source)

    await place.produce(*numbered(4000))
    app = place.ours(stuck, tuning=Tuning(buffer_records=100))
    async with running(app):
        await eventually(lambda: app.consumer.frontier.unfinished() >= 80)
        await eventually(lambda: not app.consumer.fetchable())
        assert app.consumer.frontier.unfinished() <= 100 + app.conf.broker_max_poll_records
        blocked.set()
        await eventually(lambda: len(reader.seen) == 4000)
        await eventually(place.nothing_left)
    assert sorted(reader.seen) == sorted(numbered(4000))


async def test_a_drained_buffer_is_refilled_at_once(place: Place) -> None:
    """A partition that comes back is fetched although a poll of another, idle agent's partitions is under way."""
    seen: list[str] = []

    async def trickle(source: RecordSource[Any]) -> None:
        async for batch in source.batches(max_records=5):
            seen.extend(message.value.decode() for message in begun(source, batch))
            source.ack_many(batch)
            for _ in range(5):
                await asyncio.sleep(0)  # lets the fetch get ahead, until the buffer is full

    idle = f"{place.prefix}idle"
    await place.create_topic(idle, 1)
    await place.produce(*numbered(3000))
    app = place.ours(trickle, tuning=Tuning(buffer_records=50), others=[AgentSpec("idle", idle, Reader())])
    app.conf.broker_max_poll_records = 50  # sixty fills, each of which could wait for a whole poll
    async with running(app):
        await eventually(lambda: len(seen) == 3000, within=20)
