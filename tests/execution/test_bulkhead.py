"""The bulkhead: places are shared, waited for in order, and never lost."""

import asyncio
from collections import Counter
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from app.execution.bulkhead import SHARE, Bulkhead, Entry
from tests.support.waiting import eventually

LONG = 30.0


def not_closing() -> bool:
    """A partition that stays."""
    return False


def has_aside(lane: Bulkhead, count: int) -> bool:
    """Tell whether so many wait aside."""
    return lane.aside == count


async def filled(lane: Bulkhead, destination: str, most: int) -> int:
    """Enter as often as nobody has to wait, and return how often that was."""
    for count in range(most):
        if await lane.enter(destination, 0.0, not_closing) is not Entry.ENTERED:
            return count
    return most


async def test_one_destination_leaves_room_for_another() -> None:
    """Of 80 slots one that hangs takes 64; the next ones find places all the same, several of them at once."""
    lane = Bulkhead(80, shared=True)
    assert await filled(lane, "hangs", 100) == 64
    assert await filled(lane, "other", 100) >= 10
    assert await filled(lane, "third", 100) >= 1


async def test_the_only_destination_may_have_all() -> None:
    """Where all commands go to one place there is nobody to leave room for."""
    assert await filled(Bulkhead(10, shared=False), "mail", 100) == 10


async def test_a_place_that_is_given_back_goes_to_who_waits_longest() -> None:
    """In the order of asking."""
    lane = Bulkhead(1, shared=True)
    await lane.enter("a", LONG, not_closing)
    order: list[int] = []

    async def work(number: int) -> None:
        assert await lane.enter("a", LONG, not_closing) is Entry.ENTERED
        order.append(number)
        lane.leave("a")

    waiting = []
    for number in range(3):
        waiting.append(asyncio.create_task(work(number)))
        await eventually(partial(has_aside, lane, number + 1), what="one more aside")
    lane.leave("a")
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2]
    assert lane.aside == 0


async def test_nobody_waits_for_ever_nor_after_its_partition_is_gone() -> None:
    """The time to wait is bounded, and a record that is to be given back stops waiting."""
    lane = Bulkhead(1, shared=True)
    await lane.enter("a", LONG, not_closing)
    assert await lane.enter("a", 0.05, not_closing) is Entry.FULL
    assert await lane.enter("a", LONG, lambda: True) is Entry.CLOSING
    lane.leave("a")
    assert await lane.enter("a", 0.0, not_closing) is Entry.ENTERED


async def test_only_so_many_wait_aside() -> None:
    """Beyond that there is no place to wait, for one that steps aside neither."""
    lane = Bulkhead(1, shared=True, most_aside=1)
    await lane.enter("a", LONG, not_closing)
    waits = asyncio.create_task(lane.enter("a", LONG, not_closing))
    await eventually(lambda: lane.aside == 1, what="the first one aside")
    assert await lane.enter("a", LONG, not_closing) is Entry.FULL
    with lane.step_aside() as room:
        assert not room
    lane.leave("a")
    assert await waits is Entry.ENTERED


@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=60))
def test_places_are_neither_lost_nor_made(slots: int, work: list[tuple[int, int]]) -> None:
    """Whatever comes, cancelled or not: never more under way than slots, nobody over its share, all free at the end."""

    async def run() -> None:
        lane, inside = Bulkhead(slots, shared=True, most_aside=20), Counter[str]()

        async def one(destination: str, steps: int) -> None:
            free = slots - inside.total()
            if await lane.enter(destination, 0.01 * steps, not_closing) is not Entry.ENTERED:
                return
            inside[destination] += 1
            assert inside.total() <= slots
            assert inside[destination] <= SHARE * max(free, slots)
            try:
                for _ in range(steps):
                    await asyncio.sleep(0)
            finally:
                inside[destination] -= 1
                lane.leave(destination)

        tasks = [asyncio.create_task(one(f"d{name}", steps)) for name, steps in work]
        await asyncio.sleep(0)
        for number, (_, steps) in enumerate(work):
            if steps == 5:
                tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert lane.aside == 0
        assert await filled(lane, "last", slots) == -(-SHARE * slots // (SHARE + 1))

    asyncio.run(run())
