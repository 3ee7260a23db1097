"""The drain loop while partitions are on trial: nothing of them gets to an agent unmarked."""

import asyncio
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from app.adapters.kafka.crash_guard import CrashGuard
from app.adapters.kafka.drain import Drain
from app.adapters.kafka.frontier import Frontier
from app.adapters.kafka.messages import TrackedMessage
from tests.adapters.kafka.test_probation import FakeRecord
from tests.support.crashes import CrashStore, MemoryCrashes
from tests.support.waiting import eventually, limit

PLACE = TP("events", 0)
END = 5


class Queue(asyncio.Queue[Any]):
    """An agent's channel, which is never full."""

    pressure_high_size = 10_000

    def __init__(self) -> None:
        super().__init__()
        self._pending_pressure_drop_callbacks: set[Any] = set()


class Consumer:
    """What the drain loop sees of a consumer: one partition with some records, on one channel."""

    should_stop = False
    flow_active = True
    consumer_stopped_errors = ()

    def __init__(self, store: CrashStore) -> None:
        self.channel = SimpleNamespace(queue=Queue())
        self.app = SimpleNamespace(
            topics=SimpleNamespace(_tp_index={PLACE: {"channel"}}, acks_enabled_for=lambda _: True),
            flow_control=SimpleNamespace(is_active=lambda: True),
            delivers_directly=lambda _: True,
            consumer_generation_id=1,
        )
        self.app.topics._tp_index = {PLACE: [self.channel]}  # noqa: SLF001 - as the conductor has it
        self.frontier = Frontier(lambda: 0.0)
        self.store = store
        self.guard = CrashGuard(MemoryCrashes(store, "me"), self._condemn)
        self.epoch = 0
        self.wake = asyncio.Event()
        self.position = 0
        self.given_back = 0
        self.polled = asyncio.Event()
        self.answer = asyncio.Event()
        self.answer.set()

    async def assign(self) -> None:
        """Begin an assignment, as the end of a rebalance does."""
        self.epoch += 1
        await self.guard.hold({PLACE: 0}, lambda _: asyncio.sleep(0, {PLACE: END}))

    async def _condemn(self, message: TrackedMessage, detail: str) -> None:
        raise AssertionError(f"condemned: {message.offset}, {detail}")

    def give_back(self, _: TP, records: Sequence[Any]) -> None:
        self.given_back += len(records)
        self.position = records[0].offset if records else self.position

    def fetchable(self) -> frozenset[TP]:
        """Return what may be fetched."""
        return frozenset({PLACE})

    def fetch_more(self) -> None:
        """Take in more."""

    def changelogs(self) -> frozenset[TP]:
        """There is no table."""
        return frozenset()

    async def poll(self, partitions: frozenset[TP], _: float) -> Mapping[TP, Sequence[Any]]:
        """Return all records, once it may answer."""
        self.polled.set()
        await self.answer.wait()
        await asyncio.sleep(0)
        first, self.position = self.position, END
        return {tp: [FakeRecord(offset) for offset in range(first, END)] for tp in partitions if first < END}

    def ack(self, message: TrackedMessage) -> None:
        """Finish a record."""
        self.frontier.done(message)

    async def commit(self) -> None:
        """Commit."""

    async def handle(self) -> list[tuple[int, tuple[int, int] | None]]:
        """Read as an agent; returns each offset with what was marked as alone when it came."""
        seen: list[tuple[int, tuple[int, int] | None]] = []
        while len(seen) < END:
            message = await self.channel.queue.get()
            seen.append((message.offset, self.store.rows[tuple(PLACE)].suspicion.alone))
            self.frontier.begin(message)
            self.frontier.done(message)
        return seen


async def suspected() -> CrashStore:
    """Return a store in which two processes died over the partition."""
    store = CrashStore()
    for name in ("first", "second"):
        crashes = MemoryCrashes(store, name)
        await crashes.hold({tuple(PLACE): 0})
        await crashes.watch({tuple(PLACE): END})
    return store


@pytest.mark.parametrize("polling", [False, True])
async def test_what_is_on_trial_is_marked_before_it_is_delivered(*, polling: bool) -> None:
    """From the first record on, also where they were being waited for when the trial began."""
    consumer = Consumer(await suspected())
    if polling:
        consumer.answer.clear()
    else:
        await consumer.assign()
    running = asyncio.create_task(Drain(consumer).run(SimpleNamespace(should_stop=False)))
    try:
        if polling:
            await consumer.polled.wait()
            await consumer.assign()
            consumer.answer.set()
        async with limit(10, what="the records"):
            seen = await consumer.handle()
        assert seen == [(offset, (offset, offset + 1)) for offset in range(END)]
        await eventually(lambda: not consumer.guard.trials)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
