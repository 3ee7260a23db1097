"""What is committed: only what is behind the frontier, and only what the coordinator accepted."""

import asyncio
from typing import Any

import pytest
from aiokafka.protocol.group import LeaveGroupRequest

from app.ports.record_source import RecordSource
from tests.integration.transport.apps import Place, Reader, numbered, partitions_of, running, tp
from tests.support.beginning import begun
from tests.support.waiting import eventually

pytestmark = pytest.mark.kafka


async def test_the_commit_never_passes_an_unfinished_record(place: Place) -> None:
    """While the first record is unfinished, acks of all later ones commit nothing; then everything is committed."""
    await place.produce(*numbered(20), partition=0)
    reader = Reader(hold=lambda value: value == "r0")
    app = place.ours(reader)
    async with running(app):
        await eventually(lambda: len(reader.seen) == 19)
        await app.consumer.commit()
        assert await place.committed() == {}
        reader.release.set()
        await eventually(place.nothing_left)
    assert await place.committed() == {0: 20}


async def test_stock_faust_commits_past_an_unfinished_record(place: Place) -> None:
    """What the correction is for: with nothing committed before, Faust commits the tail."""
    await place.produce(*numbered(20), partition=0)
    acked: list[int] = []

    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            if event.message.offset:
                event.ack()
                acked.append(event.message.offset)

    app = place.stock(agent)
    async with running(app):
        await eventually(lambda: len(acked) == 19)
        await app.consumer.commit()
        assert await place.committed() == {0: 20}


async def test_a_restart_reads_what_was_not_finished_again(place: Place) -> None:
    """A record given back leaves a hole: the next run reads it and all after it."""
    await place.produce(*numbered(10), partition=0)

    async def gives_one_back(source: RecordSource[Any]) -> None:
        async for batch in source.batches(max_records=100):
            for message in begun(source, batch):
                (source.abandon if message.offset == 4 else source.ack)(message)

    app = place.ours(gives_one_back)
    async with running(app):
        await eventually(lambda: app.consumer.frontier.committable(tp(place, 0), app.consumer_generation_id) == 4)
    assert await place.committed() == {0: 4}
    second = Reader()
    async with running(place.ours(second)):
        await eventually(place.nothing_left)
    assert second.seen == numbered(6, start=4)


async def kick_out(app: Any) -> None:
    """Remove the app's member from its group behind its back, so that its next commit is refused."""
    thread = app.consumer._thread  # noqa: SLF001  # Faust has no accessor
    coordinator = thread._consumer._coordinator  # noqa: SLF001  # aiokafka has none
    request = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
    await thread.call_thread(coordinator._send_req, request)  # noqa: SLF001  # the same


async def commit_while_kicked_out(place: Place, app: Any, read: asyncio.Event) -> bool:
    """Read one record, get kicked out, commit; whether the app then counts the record as committed."""
    await place.produce("only", partition=0)
    async with running(app):
        await eventually(read.is_set)
        await kick_out(app)
        await app.consumer.commit()
        believed = tp(place, 0) in app.monitor.tp_committed_offsets
        assert await place.committed() == {}
    return believed


@pytest.mark.parametrize("kind", ["ours", "stock"])
async def test_a_refused_commit_is_not_remembered_as_done(place: Place, kind: str) -> None:
    """Ours forgets nothing when the coordinator refuses; Faust notes the offset as committed, and never retries."""
    read = asyncio.Event()

    async def agent(stream: Any) -> None:
        async for _ in stream:
            read.set()

    app = place.ours_with_events(agent) if kind == "ours" else place.stock(agent)
    app.conf.broker_commit_interval = 60.0
    assert await commit_while_kicked_out(place, app, read) is (kind == "stock")


async def test_a_commit_of_another_generation_is_not_sent(place: Place) -> None:
    """The generation is looked at where the commit is sent: an offset of a former assignment never gets through."""
    await place.produce(*numbered(3), partition=0)
    reader = Reader(hold=lambda _: True)
    app = place.ours(reader)
    async with running(app):
        client, generation = app.consumer._thread, app.consumer_generation_id  # noqa: SLF001  # Faust has no accessor
        assert not await client.commit_in({tp(place, 0): 2}, generation - 1)
        assert await place.committed() == {}
        assert await client.commit_in({tp(place, 0): 1}, generation)
        assert await place.committed() == {0: 1}
        reader.release.set()


async def test_a_partition_without_records_commits_nothing(place: Place) -> None:
    """An idle app owns every partition and commits none."""
    app = place.ours(Reader())
    async with running(app):
        assert partitions_of(app, place.topic) == {0, 1, 2, 3}
    assert await place.committed() == {}
