"""Who follows the queue: one look for all, whatever their number, and each is told what they may know."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Final
from uuid import UUID, uuid4

import pytest

from app.domain.callers import Caller
from app.domain.errors import UnreachableError
from app.ports.queue_status import (
    AtWork,
    Lane,
    OwnerMark,
    OwnStatus,
    Progress,
    RecentRuns,
    StoreStatus,
    WorkflowCounts,
)
from app.services.operations.queue_status import Queue
from app.services.operations.queue_watch import MOST, QueueWatch
from tests.support.waiting import eventually, in_time

ADMIN: Final = Caller(uuid4(), "admin")


class MemoryStore:
    """What waits, in memory.

    Attributes:
        parked: What waits of each owner.
        marked: How many owners each look asked for.
        asked: Who was read, in order,
        looks: and after how many looks.
        away: It does not answer.
    """

    def __init__(self) -> None:
        self.parked: dict[UUID, int] = {}
        self.marked: list[int] = []
        self.asked: list[UUID] = []
        self.looks: list[int] = []
        self.away = False

    async def status(self) -> StoreStatus:
        """Return it."""
        if self.away:
            raise UnreachableError("away")
        waiting = sum(self.parked.values())
        return StoreStatus(
            parked=waiting, dead_letters=0, outbox=0, outbox_oldest_s=0, failed_executions=0, failed_actions=0,
            breakers=[], set_aside=[],
        )  # fmt: skip

    async def at_work(self) -> Mapping[str, AtWork]:
        """Return that nobody is."""
        return {}

    async def own(self, caller: Caller) -> OwnStatus:
        """Return what is theirs."""
        self.asked.append(caller.user_id)
        self.looks.append(len(self.marked))
        return OwnStatus(parked=self.parked.get(caller.user_id, 0), failed_executions=0, failed_actions=0)

    async def marks(self, owners: Collection[UUID]) -> Mapping[UUID, OwnerMark]:
        """Return their marks."""
        self.marked.append(len(owners))
        return {one: OwnerMark(self.parked.get(one, 0), 0, None) for one in owners}

    async def workflows(self) -> WorkflowCounts:
        """Return none."""
        return WorkflowCounts(0, 0)

    async def recent(self) -> RecentRuns:
        """Return that none ran."""
        return RecentRuns(0.0, 1.0, 0.0)


class NoDepths:
    """Nothing is behind."""

    async def depths(self, lanes: Sequence[Lane]) -> Mapping[str, int]:
        """Return that."""
        return {}

    async def progress(self, lanes: Sequence[Lane]) -> Mapping[str, Progress]:
        """Return that."""
        return {}


def watched(store: MemoryStore, *, every: float = 0.01) -> QueueWatch:
    """Return a watch over a store, of which every look asks anew."""
    now = iter(range(1_000_000))
    return QueueWatch(Queue((), NoDepths(), store, lambda: next(now) * 10.0), every=every)


@asynccontextmanager
async def all_of(watch: QueueWatch, callers: Sequence[Caller]) -> AsyncIterator[None]:
    """Have callers follow for the block, and close the watch after it."""
    with ExitStack() as following:
        for one in callers:
            following.enter_context(watch.watching(one))
        for one in callers:
            await watch.begin(one)
        yield
    watch.close()


async def test_a_look_serves_all_who_follow() -> None:
    """Sixty streams of thirty users: a look is one mark for all, and without changes nobody is read again."""
    store, users = MemoryStore(), [Caller(uuid4(), "user") for _ in range(30)]
    watch = watched(store)
    for one in users:
        store.parked[one.user_id] = 1
    async with all_of(watch, [*users, *users, ADMIN]):
        # At first, and once more with their mark: so many a look.
        await eventually(lambda: len(store.asked) == 2 * len(users), within=10, what="everybody to be read")
        looks = len(store.marked)
        await eventually(lambda: len(store.marked) > looks + 3, within=10, what="looks")
        assert (len(store.asked), set(store.marked[looks:])) == (2 * len(users), {len(users)})


async def test_everybody_is_told_of_their_own_alone() -> None:
    """A user what waits of theirs, an administrator what waits of all; nobody else is read when it changes."""
    store, me, other = MemoryStore(), Caller(uuid4(), "user"), Caller(uuid4(), "user")
    watch = watched(store)
    store.parked = {me.user_id: 1, other.user_id: 5}
    with watch.watching(me), watch.watching(other), watch.watching(ADMIN):
        assert [(await watch.begin(one)).parked for one in (me, other, ADMIN)] == [1, 5, 6]
        await eventually(lambda: len(store.asked) == 4, within=10, what="marks")
        store.parked[me.user_id] = 2

        async def told() -> list[tuple[str, int, int | None]]:
            views = [await in_time(watch.next(one), 10, what="a look") for one in (me, other, ADMIN)]
            return [(view.counted, view.parked, view.dead_letters) for view in views if view is not None]

        async def changed() -> bool:
            return await told() == [("own", 2, None), ("own", 5, None), ("installation", 7, 0)]

        await eventually(changed, within=10, what="the change")
        assert store.asked[4:] == [me.user_id]
    watch.close()


async def test_a_look_reads_so_many_and_the_others_next() -> None:
    """Where more have changed than one look reads, all are told within the looks that it takes."""
    store, users = MemoryStore(), [Caller(uuid4(), "user") for _ in range(2 * MOST + 5)]
    watch = watched(store)
    async with all_of(watch, users):
        await eventually(lambda: len(store.asked) == 2 * len(users), within=10, what="everybody to be read")
    again = [look for place, look in enumerate(store.looks) if store.asked[place] in store.asked[:place]]
    assert len(again) == len(set(store.asked)) == len(users)
    assert max(Counter(again).values()) <= MOST


async def test_a_look_that_fails_ends_with_its_reason() -> None:
    """Nobody takes a stream for whole that can tell no more; who comes again when it is back is told."""
    store, me = MemoryStore(), Caller(uuid4(), "user")
    watch = watched(store)
    with watch.watching(me):
        await watch.begin(me)
        store.away = True
        with pytest.raises(UnreachableError, match="away"):
            await in_time(watch.next(me), 10, what="a look")
        with pytest.raises(UnreachableError):
            await watch.begin(me)
        store.away = False
        assert (await watch.begin(me)).parked == 0
        assert await in_time(watch.next(me), 10, what="a look") is not None
    watch.close()


async def test_nobody_waits_for_a_watch_that_is_closed() -> None:
    """The process ends: all who follow end."""
    watch, me = watched(MemoryStore(), every=3600), Caller(uuid4(), "user")
    with watch.watching(me):
        await watch.begin(me)
        watch.close()
        assert await in_time(watch.next(me), 10, what="the end") is None
