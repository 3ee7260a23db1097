"""The pool of an executor lane."""

import asyncio
import operator
from collections import Counter
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.pool import MAX_PER_KEY, MAX_TAKEN, KeyedPool
from tests.support.records import FakeRecord
from tests.support.waiting import eventually


class MemoryLedger:
    """A ledger that remembers what it was told."""

    def __init__(self) -> None:
        self.begun: list[FakeRecord] = []
        self.acked: list[FakeRecord] = []
        self.abandoned: list[FakeRecord] = []
        self.revoked: set[FakeRecord] = set()

    def begin(self, message: FakeRecord, /) -> bool:
        if message in self.revoked:
            return False
        self.begun.append(message)
        return True

    def abandon(self, message: FakeRecord, /) -> None:
        self.abandoned.append(message)

    def is_closing(self, message: FakeRecord, /) -> bool:
        return message in self.revoked

    def ack(self, message: FakeRecord, /) -> None:
        self.acked.append(message)


class Work:
    """A handler whose records end when the test says so."""

    def __init__(self) -> None:
        self.running: dict[FakeRecord, asyncio.Future[bool]] = {}
        self.crashes: list[BaseException] = []

    async def handle(self, record: FakeRecord) -> bool:
        self.running[record] = asyncio.get_running_loop().create_future()
        try:
            return await self.running[record]
        finally:
            del self.running[record]

    async def crash(self, error: BaseException) -> None:
        self.crashes.append(error)


def record(key: str, offset: int, timestamp: float = 0.0) -> FakeRecord:
    """Return a record of an entity."""
    return FakeRecord(b"{}", key=key.encode(), offset=offset, timestamp=timestamp)


async def test_one_key_runs_in_order_and_keys_run_side_by_side() -> None:
    """The second record of a key begins only when the first has ended; another key does not wait."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=8, crash=work.crash)
    a1, a2, b1 = record("a", 1), record("a", 2), record("b", 3)
    for item in (a1, a2, b1):
        await pool.put(item)
    await eventually(lambda: set(work.running) == {a1, b1})
    work.running[a1].set_result(True)
    await eventually(lambda: set(work.running) == {a2, b1})
    assert ledger.acked == [a1]
    await pool.stop()


async def test_of_the_ready_keys_the_oldest_head_runs_first() -> None:
    """With one slot, records of different keys run by Kafka timestamp, not by arrival."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=1, crash=work.crash)
    first, young, old = record("x", 1, 1.0), record("y", 2, 9.0), record("z", 3, 5.0)
    for item in (first, young, old):
        await pool.put(item)
    for expected in (first, old, young):
        await eventually(partial(operator.contains, work.running, expected))
        work.running[expected].set_result(True)
    await eventually(lambda: len(ledger.acked) == 3)
    assert ledger.begun == [first, old, young]


async def test_a_revoked_record_is_dropped_silently() -> None:
    """What has not begun when its partition goes is neither run nor acked nor given back, and its key goes on."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=4, crash=work.crash)
    gone, next_one = record("a", 1), record("a", 2)
    ledger.revoked.add(gone)
    await pool.put(gone)
    await pool.put(next_one)
    await eventually(lambda: next_one in work.running)
    assert not ledger.acked
    assert ledger.begun == [next_one]
    await pool.stop()


async def test_a_record_given_back_is_abandoned_not_acked() -> None:
    """A handler that answers False leaves the record to the partition's next owner."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=1, crash=work.crash)
    item = record("a", 1)
    await pool.put(item)
    await eventually(lambda: item in work.running)
    work.running[item].set_result(False)
    await eventually(lambda: ledger.abandoned == [item])
    assert not ledger.acked


async def test_an_error_crashes_the_process_without_an_ack() -> None:
    """Only Kafka or Postgres failing for good gets out of a handler; the record stays unacked."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=1, crash=work.crash)
    item = record("a", 1)
    await pool.put(item)
    await eventually(lambda: item in work.running)
    work.running[item].set_exception(ConnectionError("gone"))
    await eventually(lambda: work.crashes)
    assert not ledger.acked


@pytest.mark.parametrize(("keys", "taken"), [(1, MAX_PER_KEY), (10_000, MAX_TAKEN)])
async def test_the_pool_takes_no_more_than_it_may(keys: int, taken: int) -> None:
    """At most 32 records of one key and 512 in all wait in memory; the rest waits in Kafka."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=2, crash=work.crash)

    async def feed() -> None:
        for offset in range(MAX_TAKEN + 10):
            await pool.put(record(str(offset % keys), offset))

    feeding = asyncio.create_task(feed())
    await eventually(lambda: pool.taken == taken)
    for _ in range(20):
        await asyncio.sleep(0)
    assert pool.taken == taken
    feeding.cancel()
    await pool.stop()


@given(
    records=st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0, 100)), max_size=60),
    slots=st.integers(1, 5),
)
@settings(max_examples=100)
async def test_whatever_comes_every_key_is_done_once_and_in_order(records: list[tuple[str, float]], slots: int) -> None:
    """For any mix of keys, timestamps and slots: each record is acked once, each key in its order."""
    ledger = MemoryLedger()

    async def handle(_: FakeRecord) -> bool:
        await asyncio.sleep(0)
        return True

    async def crash(error: BaseException) -> None:
        raise AssertionError from error

    pool = KeyedPool(handle, ledger=ledger, slots=slots, crash=crash)
    made = [record(key, offset, timestamp) for offset, (key, timestamp) in enumerate(records)]
    for item in made:
        await pool.put(item)
    await eventually(lambda: not pool.taken, every=0)
    assert Counter(map(id, ledger.acked)) == Counter(map(id, made))
    for key in "abcde":
        offsets = [item.offset for item in ledger.begun if item.key == key.encode()]
        assert offsets == sorted(offsets)
