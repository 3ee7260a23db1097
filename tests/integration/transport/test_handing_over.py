"""Giving partitions up and taking them over: nothing lost, nothing done twice that was finished, nobody waits."""

import asyncio
from itertools import pairwise
from time import monotonic
from typing import Any

import pytest

from app.ports.record_source import RecordSource
from tests.integration.transport.apps import Place, Reader, numbered, ready, running, running_beside
from tests.integration.transport.processes import worker
from tests.support.consumer_groups import group_admin, members
from tests.support.deadlines import scaled
from tests.support.waiting import eventually

pytestmark = pytest.mark.kafka


async def test_a_revocation_discards_what_has_not_begun(place: Place) -> None:
    """The old owner finishes what it had begun and drops the rest; each record is finished exactly once."""
    await place.produce(*numbered(200))
    first, second = Reader(hold=lambda value: value in {"r3", "r7"}), Reader()
    gate = asyncio.Event()

    async def slow(source: RecordSource[Any]) -> None:
        await gate.wait()
        await first(source)

    old, new = place.ours(slow), place.ours(second, instance="2")
    async with running(old):
        await eventually(lambda: old.consumer.frontier.unfinished() == 200)
        async with running_beside(new):
            await eventually(lambda: old.consumer.frontier.dropped == 200)
            gate.set()
            await eventually(lambda: ready(old) and ready(new))
            first.release.set()
            await eventually(place.nothing_left)
    assert sorted(first.seen + second.seen) == sorted(numbered(200))


async def test_what_has_begun_finishes_before_the_partition_goes(place: Place) -> None:
    """A held record keeps the new owner waiting; released, it counts, and only the rest is read again."""
    await place.produce(*numbered(10), partition=0)
    first, second = Reader(hold=lambda value: value == "r5"), Reader()
    old, new = place.ours(first), place.ours(second, instance="2")
    async with running(old):
        await eventually(lambda: len(first.seen) == 9)
        async with running_beside(new):
            try:
                await eventually(lambda: old.rebalancing)
                assert not new.consumer.frontier.partitions()
            finally:
                first.release.set()
            await eventually(lambda: ready(old) and ready(new))
            await eventually(place.nothing_left)
    assert sorted(first.seen) == sorted(numbered(10))
    assert second.seen == []


async def test_rejoins_neither_lose_nor_repeat_nor_reorder(place: Place) -> None:
    """While workers join and leave under load every record is finished once, each partition's in order."""
    reader = Reader()
    producing = True

    async def produce() -> None:
        numbers = iter(range(10_000))
        while producing:
            for partition in range(place.partitions):
                await place.produce(f"{partition}:{next(numbers)}", partition=partition)

    steady = place.ours(reader)
    async with running(steady):
        producer = asyncio.create_task(produce())
        for instance in ("2", "3"):
            async with running(place.ours(reader, instance=instance)):
                await eventually(lambda: ready(steady))
        producing = False
        await producer
        await eventually(place.nothing_left)
    assert len(reader.seen) == len(set(reader.seen))
    for partition in range(place.partitions):
        numbers = [int(value.split(":")[1]) for value in reader.seen if value.startswith(f"{partition}:")]
        assert all(earlier < later for earlier, later in pairwise(numbers))


async def test_a_rejoin_in_the_same_generation_goes_on(place: Place) -> None:
    """A static member that rejoins keeps its generation number; it is a new assignment all the same, and works."""
    reader = Reader()
    leader, follower = place.ours(reader), place.ours(reader, instance="2")
    async with running(leader, follower):
        await eventually(lambda: ready(leader))
        await place.produce(*numbered(100))
        await eventually(place.nothing_left)
        generation = follower.consumer_generation_id
        await rejoin(follower)
        assert follower.consumer_generation_id == generation
        await place.produce(*numbered(100, start=100))
        await eventually(place.nothing_left)
    assert sorted(reader.seen) == sorted(numbered(200))


async def test_records_that_come_right_after_a_rebalance_are_not_lost(place: Place) -> None:
    """A fetch that waits through an idle rebalance gets the first records after it: they count like any others."""
    reader = Reader()
    app = place.ours(reader)
    async with running(app):
        for cycle in range(6):
            await rejoin(app)
            await place.produce(*numbered(5, start=cycle * 5))
        await eventually(place.nothing_left)
    assert sorted(reader.seen) == sorted(numbered(30))


async def rejoin(app: Any) -> None:
    """Have the app's member rejoin its group, and wait until it takes records again."""
    epoch = app.consumer.epoch
    app.consumer._thread._consumer._coordinator.request_rejoin()  # noqa: SLF001  # as aiokafka does itself
    await eventually(lambda: app.consumer.epoch > epoch and ready(app), every=0.001)


async def test_stopping_the_flow_closes_every_record_at_once(place: Place) -> None:
    """What an agent has taken and not begun cannot begin once the stop has started, not even before the first await."""
    taken: list[Any] = []

    sources: list[RecordSource[Any]] = []

    async def takes(source: RecordSource[Any]) -> None:
        sources.append(source)
        async for batch in source.batches(max_records=10):
            taken.extend(batch)

    await place.produce("one", "two", partition=0)
    app = place.ours(takes)
    async with running(app):
        await eventually(lambda: len(taken) == 2)
        (source,) = sources
        assert source.begin(taken[0])
        app.consumer.stop_flow()
        assert [source.is_closing(message) for message in taken] == [True, True]
        assert not source.begin(taken[1])
        assert not source.ack(taken[1])
        assert source.ack(taken[0])


@pytest.mark.parametrize("kind", ["ours", "stock"])
async def test_who_stops_leaves_the_group(place: Place, kind: str) -> None:
    """Ours is gone from the group when it has stopped; stock Faust stays in it until its session times out."""

    async def agent(stream: Any) -> None:
        async for _ in stream:
            pass

    app = place.ours(Reader()) if kind == "ours" else place.stock(agent)
    async with group_admin(place.kafka) as admin:
        async with running(app):
            assert await members(admin, place.group) == 1
        assert await members(admin, place.group) == (0 if kind == "ours" else 1)


async def test_a_terminated_worker_is_replaced_within_five_seconds(place: Place) -> None:
    """SIGTERM: the worker finishes what it has begun, exits with 0, and another one reads on at once."""
    async with worker(place, "1") as first, worker(place, "2") as second:
        async with group_admin(place.kafka) as admin:
            await eventually(lambda: both(admin, place), within=20)
        for partition in range(place.partitions):
            await place.produce(*[f"slow {partition} {n}" for n in range(2)], partition=partition)
        await eventually(lambda: first.said("begun"))
        first.terminate()
        terminated = monotonic()
        await place.produce(*[f"after {partition}" for partition in range(place.partitions)])
        await eventually(lambda: len(first.said("done")) + len(second.said("done")) == 12, within=5)
        assert monotonic() - terminated < scaled(5)
        assert await first.ended() == 0
        assert first.said("begun") == first.said("done")


async def both(admin: Any, place: Place) -> bool:
    """Whether the group has two members and is stable."""
    return await members(admin, place.group) == 2


async def test_an_error_that_leaves_the_agent_ends_the_process_unacked(place: Place) -> None:
    """The process exits with 1 and names the error; the record and what follows it are read again."""
    await place.produce("good", "fail", "never", partition=0)
    async with worker(place, "1") as process:
        assert await process.ended() == 1
        assert any("the agent failed" in line for line in process.errors)
        assert process.said("done") == ["good"]
    assert (await place.committed()).get(0, 0) <= 1
    reader = Reader()
    async with running(place.ours(reader)):
        await eventually(place.nothing_left)
    assert reader.seen[-2:] == ["fail", "never"]
