"""Micro-batching."""

import asyncio
from collections.abc import Sequence

import pytest

from app.execution.batching import Batcher
from tests.support.waiting import limit


async def test_what_arrives_during_a_batch_becomes_the_next_one() -> None:
    """The first item goes at once; all that come while it is under way share one round trip, in order."""
    batches: list[list[int]] = []
    started, gate = asyncio.Event(), asyncio.Event()

    async def run(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        started.set()
        await gate.wait()
        return [item * 10 for item in items]

    batcher = Batcher(run)
    first = asyncio.create_task(batcher.do(1))
    await started.wait()
    rest = [asyncio.create_task(batcher.do(item)) for item in (2, 3, 4)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(first, *rest) == [10, 20, 30, 40]
    assert batches == [[1], [2, 3, 4]]


async def test_no_batch_is_larger_than_allowed() -> None:
    """A burst is cut into batches of at most max_size."""
    sizes: list[int] = []

    async def run(items: Sequence[int]) -> Sequence[int]:
        sizes.append(len(items))
        await asyncio.sleep(0)
        return items

    batcher = Batcher(run, max_size=10)
    assert await asyncio.gather(*(batcher.do(n) for n in range(35))) == list(range(35))
    assert sizes == [10, 10, 10, 5]


async def test_an_outage_reaches_every_caller_of_its_batch_and_no_other() -> None:
    """A batch that fails does not take the next one with it."""

    async def run(items: Sequence[int]) -> Sequence[int]:
        if 1 in items:
            raise ConnectionError("gone")
        return items

    batcher = Batcher(run, max_size=2)
    outcomes = await asyncio.gather(*(batcher.do(n) for n in (1, 2, 3, 4)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError, int, int]


async def test_a_cancelled_caller_does_not_break_its_batch() -> None:
    """Who stops waiting leaves the others their results."""
    gate = asyncio.Event()

    async def run(items: Sequence[int]) -> Sequence[int]:
        await gate.wait()
        return items

    batcher = Batcher(run)
    tasks = [asyncio.create_task(batcher.do(n)) for n in (1, 2)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    gate.set()
    assert await tasks[1] == 2
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]


@pytest.mark.parametrize("bad", range(7))
async def test_an_items_own_fault_reaches_its_caller_only(bad: int) -> None:
    """The batch is run again in halves, down to the one item that cannot be done."""

    async def run(items: Sequence[int]) -> Sequence[int]:
        if bad in items:
            raise ZeroDivisionError
        return items

    batcher = Batcher(run)
    outcomes = await asyncio.gather(*(batcher.do(n) for n in range(7)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError if n == bad else int for n in range(7)]


async def test_a_batch_with_too_few_results_fails_and_nobody_waits_for_ever() -> None:
    """An answer that does not fit is an error in every caller; the batcher goes on."""
    answers = [[1], [1]]

    async def run(items: Sequence[int]) -> Sequence[int]:
        return answers.pop() if answers else items

    batcher = Batcher(run)
    async with limit(5, what="the end of the block"):
        outcomes = await asyncio.gather(*(batcher.do(n) for n in (1, 2)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [int, int]
        answers.append([])
        with pytest.raises(TypeError, match="1 items had 0 results"):
            await batcher.do(3)
