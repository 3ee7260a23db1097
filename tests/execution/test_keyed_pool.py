"""The pool of an executor lane."""

import asyncio
import operator
from collections import Counter
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.execution.keyed_pool import MAX_READY, KeyedPool
from tests.support.records import FakeRecord
from tests.support.waiting import eventually, limit


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


async def feed(pool: KeyedPool[FakeRecord], records: list[FakeRecord]) -> None:
    """Put records in, one after the other."""
    for item in records:
        await pool.put(item)


async def test_behind_a_busy_key_only_its_own_records_wait() -> None:
    """5,000 records of one key whose first never ends: all are taken in, and others that come after them run."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=8, crash=work.crash)
    others = [record(f"other {number}", 5000 + number, 1.0) for number in range(20)]
    async with limit(5, what="the end of the block"):
        await feed(pool, [*(record("hot", offset) for offset in range(5000)), *others])
    for other in others:
        await eventually(partial(operator.contains, work.running, other))
        work.running[other].set_result(True)
    await eventually(lambda: ledger.acked == others)
    assert pool.taken == 5000
    await pool.stop()


@pytest.mark.parametrize(("hot_keys", "slots", "held"), [(1, 1, 1), (5, 2, 1), (5, 10, 5), (20, 10, 5)])
async def test_busy_keys_leave_slots_to_others(hot_keys: int, slots: int, held: int) -> None:
    """However old what waits of them: they hold half of the slots at most, and of a single one every other turn."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=slots, crash=work.crash)
    await feed(pool, [record(f"hot {n % hot_keys}", n) for n in range(20 * hot_keys)])
    await eventually(lambda: len(work.running) == min(hot_keys, slots))
    others = [record(f"other {number}", 5000 + number, 9.0) for number in range(30)]
    await feed(pool, others)
    for _ in range(2 * hot_keys):
        running = [item for item in work.running if item not in others]
        if running:
            work.running[running[0]].set_result(True)
        for _ in range(5):
            await asyncio.sleep(0)
    assert len([item for item in work.running if item not in others]) <= held
    assert len([item for item in work.running if item in others]) >= slots - held
    await pool.stop()


async def test_busy_keys_have_every_slot_that_nobody_else_wants() -> None:
    """Half is their share only while others are ready."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=4, crash=work.crash)
    await feed(pool, [record(f"hot {n % 4}", n) for n in range(80)])
    await eventually(lambda: len(work.running) == 4)
    for item in list(work.running):
        work.running[item].set_result(True)
    await eventually(lambda: len(ledger.begun) == 8 and len(work.running) == 4)
    await pool.stop()


async def test_a_single_slot_is_taken_in_turns() -> None:
    """A busy key that is always the oldest has every other turn of a single slot."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=1, crash=work.crash)
    await feed(pool, [record("hot", offset) for offset in range(20)])
    await feed(pool, [record(f"other {number}", 100 + number, 9.0) for number in range(4)])
    for done in range(9):
        await eventually(lambda: len(work.running) == 1)
        for future in work.running.values():
            future.set_result(True)
        await eventually(partial(lambda count: len(ledger.acked) == count, done + 1))
    assert [item.key != b"hot" for item in ledger.acked].count(True) == 4
    await pool.stop()


async def test_the_pool_takes_no_more_ready_keys_than_it_may() -> None:
    """512 keys that wait for slots are enough; the rest waits in front of it."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=2, crash=work.crash)
    feeding = asyncio.create_task(feed(pool, [record(str(offset), offset) for offset in range(MAX_READY + 10)]))
    await eventually(lambda: pool.taken == MAX_READY + 2)
    for _ in range(20):
        await asyncio.sleep(0)
    assert pool.taken == MAX_READY + 2
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


async def test_nobody_waits_behind_the_steps_of_anothers_workflows() -> None:
    """The same customer: one owner's records are in order, and another's runs beside them."""
    work, ledger = Work(), MemoryLedger()
    pool = KeyedPool(work.handle, ledger=ledger, slots=10, crash=work.crash)
    first, second, other = record("c", 1), record("c", 2), record("c", 3)
    for one, owner in ((first, b"a"), (second, b"a"), (other, b"b")):
        one.headers = [("headrace-owner", owner)]
        await pool.put(one)
    await eventually(lambda: set(work.running) == {first, other}, what="the head of each owner")
    await pool.stop()


def owned(owner: bytes, key: str, offset: int, timestamp: float = 0.0) -> FakeRecord:
    """Return a record of an entity, of an owner's workflow."""
    made = record(key, offset, timestamp)
    made.headers = [("headrace-owner", owner)]
    return made


@pytest.mark.parametrize("slots", [1, 3])
async def test_owners_take_turns_however_much_one_of_them_has(slots: int) -> None:
    """A thousand older records of one owner are ready; another's two are among the next that run, in their order."""
    ledger, work = MemoryLedger(), Work()
    pool = KeyedPool(work.handle, ledger=ledger, slots=slots, crash=work.crash)
    many = [owned(b"a", f"a{offset}", offset, offset) for offset in range(1000)]
    few = [owned(b"b", f"b{offset}", 1000 + offset, 5000 - offset) for offset in range(2)]
    for item in (*many, *few):
        await pool.put(item)

    def reached(count: int) -> bool:
        return len(ledger.begun) == count

    for ended in range(slots + 3):
        await eventually(lambda: len(work.running) == slots)
        work.running[ledger.begun[ended]].set_result(True)
        await eventually(partial(reached, ended + 1 + slots))
    assert [one for one in ledger.begun if one.headers[0][1] == b"b"] == [few[1], few[0]]
    assert ledger.begun[:slots] == many[:slots]
    await pool.stop()
