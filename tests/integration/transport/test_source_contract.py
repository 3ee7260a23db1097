"""One contract for both sources of records: our Faust transport on Kafka, and the broker in memory."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from app.ports.record_source import RecordSource
from tests.integration.transport.apps import Place, numbered
from tests.integration.transport.sources import InMemory, OnFaust, Subject
from tests.support.beginning import begun
from tests.support.waiting import eventually

KB = 1000


@pytest.fixture(params=[pytest.param("kafka", marks=pytest.mark.kafka), "memory"])
def subject(request: pytest.FixtureRequest) -> Subject:
    """Each of the two in turn."""
    if request.param == "memory":
        return InMemory()
    place: Place = request.getfixturevalue("place")
    return OnFaust(place)


class Taker:
    """An agent that keeps what it takes; begins and finishes it where it is told so.

    Attributes:
        ended: The iteration over its batches has ended.
    """

    def __init__(self, *, finish: bool = False, most: int = 100) -> None:
        self.finish = finish
        self._most = most
        self.batches: list[list[Any]] = []
        self.finished: list[str] = []
        self.ended = False
        self._source: RecordSource[Any] | None = None

    async def __call__(self, source: RecordSource[Any]) -> None:
        """Read."""
        self._source = source
        async for batch in source.batches(max_records=self._most):
            self.batches.append(list(batch))
            if self.finish:
                taken = begun(source, batch)
                self.finished += [record.value.decode() for record in taken]
                source.ack_many(taken)
        self.ended = True

    @property
    def source(self) -> RecordSource[Any]:
        """Where it reads."""
        assert self._source is not None
        return self._source

    @property
    def taken(self) -> list[Any]:
        """Every record that it took."""
        return [record for batch in self.batches for record in batch]

    async def took(self, count: int) -> list[Any]:
        """Wait until it has taken so many."""
        await eventually(lambda: len(self.taken) >= count, within=20, what=f"{count} records")
        return self.taken


async def test_what_arrived_comes_in_order_and_in_batches(subject: Subject) -> None:
    """A backlog comes in batches of at most what was asked for; key, value, headers and place are as they were."""
    before = time.time()
    await subject.produce(*numbered(250), headers=[("h", b"1"), ("h", b"2")])
    taker = Taker(finish=False, most=100)
    async with subject.worker(taker):
        taken = await taker.took(250)
    assert [record.offset for record in taken] == list(range(250))
    assert max(map(len, taker.batches)) <= 100
    assert len(taker.batches) < 20
    first = taken[0]
    assert (first.partition, first.topic.endswith("work")) == (0, True)
    assert before - 1 <= first.timestamp <= time.time() + 1


async def test_a_record_is_as_it_was_sent(subject: Subject) -> None:
    """Key, value and headers, a repeated name among them."""
    seen: list[Any] = []

    async def agent(source: RecordSource[Any]) -> None:
        async for batch in source.batches(max_records=10):
            seen.extend((record.key, record.value, tuple(record.headers)) for record in batch)

    await subject.produce("one", headers=[("h", b"1"), ("h", b"2")])
    async with subject.worker(agent):
        await eventually(lambda: seen, within=20)
    assert seen == [(b"k", b"one", (("h", b"1"), ("h", b"2")))]


async def test_the_commit_never_passes_an_unfinished_record(subject: Subject) -> None:
    """All but the first are finished, nothing is committed; then all is, up to the first that was never begun."""
    await subject.produce(*numbered(5))
    await subject.produce("other", partition=1)
    taker = Taker()
    async with subject.worker(taker):
        await taker.took(6)
        mine = [record for record in taker.taken if record.partition == 0]
        source = taker.source
        assert begun(source, mine[:4]) == mine[:4]
        source.ack_many(mine[1:4])
        (other,) = [record for record in taker.taken if record.partition == 1]
        assert source.begin(other)
        source.ack(other)
        await eventually(lambda: commits(subject, {1: 1}))
        source.ack(mine[0])
        await eventually(lambda: commits(subject, {0: 4, 1: 1}))


async def commits(subject: Subject, offsets: dict[int, int]) -> bool:
    """Whether exactly these offsets are committed."""
    return await subject.committed() == offsets


async def test_what_is_not_finished_comes_again(subject: Subject) -> None:
    """To the next worker: what was not begun, and from a record that was given back on all behind it."""
    await subject.produce(*numbered(6))
    first = Taker()
    async with subject.worker(first):
        taken = await first.took(6)
        begun(first.source, taken[:5])
        first.source.ack_many([taken[0], taken[1], taken[3], taken[4]])
        first.source.abandon(taken[2])
    assert await subject.committed() == {0: 2}
    second = Taker(finish=True)
    async with subject.worker(second):
        await eventually(lambda: commits(subject, {0: 6}), within=20)
    assert second.finished == numbered(4, start=2)


async def test_a_record_begins_once_and_a_late_ack_does_not_count(subject: Subject) -> None:
    """Not twice, not after it was given back; what is acked then stays uncommitted."""
    await subject.produce("one")
    taker = Taker()
    async with subject.worker(taker):
        (record,) = await taker.took(1)
        source = taker.source
        assert source.begin(record)
        assert not source.begin(record)
        source.abandon(record)
        assert not source.begin(record)
        assert not source.ack(record)
    assert await subject.committed() == {}


async def test_giving_up_closes_what_was_taken(subject: Subject) -> None:
    """While another joins: nothing new begins, what has begun may finish and counts, and nothing is done twice."""
    await subject.produce("begun", "waiting")
    old, new = Taker(), Taker(finish=True)
    async with subject.worker(old):
        begun, waiting = await old.took(2)
        assert old.source.begin(begun)
        assert not old.source.is_closing(begun)
        async with joining(subject, new):
            await eventually(lambda: old.source.is_closing(begun), within=20)
            assert old.source.is_closing(waiting)
            assert not old.source.begin(waiting)
            old.finish = True
            old.source.ack(begun)
            await eventually(lambda: commits(subject, {0: 2}), within=20)
    assert sorted(old.finished + new.finished) == ["waiting"]


@asynccontextmanager
async def joining(subject: Subject, agent: Any) -> AsyncIterator[None]:
    """Let a worker join without waiting until it has its partitions; it leaves at the end."""
    async with AsyncExitStack() as stack:
        started = asyncio.create_task(stack.enter_async_context(subject.worker(agent)))
        try:
            yield
        finally:
            await started


async def test_a_partition_that_holds_too_much_waits_by_itself(subject: Subject) -> None:
    """Unfinished bytes are bounded: the partition that holds them is paused, the others go on, nothing is lost."""
    large = [f"hot {number} ".ljust(KB) for number in range(2000)]
    await subject.produce(*large)
    held: list[Any] = []
    seen: list[str] = []
    release = asyncio.Event()

    async def agent(source: RecordSource[Any]) -> None:
        async for batch in source.batches(max_records=100):
            for record in begun(source, batch):
                if record.partition == 0 and not release.is_set():
                    held.append(record)
                else:
                    seen.append(record.value.decode())
                    source.ack(record)
            if release.is_set():
                source.ack_many(held)
                held.clear()

    async with subject.worker(agent, most_bytes=200 * KB):
        try:
            await eventually(lambda: len(held) >= 50, within=20)
            await subject.produce(*numbered(300), partition=1)
            await eventually(lambda: len(seen) == 300, within=20)
            assert len(held) <= 700, "what one fetch brings beside the budget"
        finally:
            release.set()
            await subject.produce("last", partition=1)
        await eventually(lambda: commits(subject, {0: 2000, 1: 301}), within=30)


async def test_the_iteration_ends_when_the_worker_stops(subject: Subject) -> None:
    """An agent gets to what follows its loop."""
    taker = Taker(finish=True)
    await subject.produce("one")
    async with subject.worker(taker):
        await taker.took(1)
        assert not taker.ended
    assert taker.ended


async def test_a_crash_keeps_what_is_not_finished(subject: Subject) -> None:
    """The worker says what it died of, does not wait for what can never end, and the next one reads it again."""
    await subject.produce(*numbered(3))
    taker, error = Taker(), RuntimeError("Kafka is gone")
    async with subject.worker(taker) as worker:
        taken = await taker.took(3)
        begun(taker.source, taken)
        taker.source.ack(taken[0])
        await taker.source.crash(error)
        assert worker.crash_reason is error
    assert await subject.committed() == {0: 1}
    second = Taker(finish=True)
    async with subject.worker(second):
        await eventually(lambda: commits(subject, {0: 3}), within=20)
    assert second.finished == ["r1", "r2"]
