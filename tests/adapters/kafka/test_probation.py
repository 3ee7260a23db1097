"""Probation over a partition in memory, and processes that die of its records and are started again."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from faust.types import TP

from app.adapters.kafka.crash_guard import NONE_ALONE, CrashGuard
from app.adapters.kafka.frontier import Frontier
from app.adapters.kafka.messages import TrackedMessage
from app.adapters.kafka.probation import Probation
from app.adapters.kafka.trials import ALONE_S, IN_FLIGHT, TOGETHER
from app.domain.errors import UnreachableError
from tests.support.crashes import CrashStore, MemoryCrashes

ONE, TWO, CHANGELOG = TP("events", 0), TP("events", 1), TP("changelog", 0)


class DiedError(BaseException):
    """The process is gone; nothing of it runs any more."""


@dataclass
class FakeRecord:
    """A record as aiokafka hands it out."""

    offset: int
    value: bytes = b""
    key: bytes | None = None
    timestamp: int = 1_772_359_200_000
    timestamp_type: int = 0
    headers: Sequence[Any] = ()
    serialized_key_size: int = 0
    serialized_value_size: int = 0


@dataclass
class Log:
    """What outlives processes: the topic, what is committed of it, and what is known of crashes."""

    ends: dict[TP, int]
    committed: dict[TP, int] = field(default_factory=dict)
    store: CrashStore = field(default_factory=CrashStore)
    condemned: list[tuple[TP, int, str]] = field(default_factory=list)
    handled: list[tuple[TP, int]] = field(default_factory=list)
    together: list[int] = field(default_factory=list)
    lives: int = 0


class Process:
    """One life of a worker: a consumer and a drain as Probation sees them, which dies of what it is told to."""

    consumer_generation_id = 1

    def __init__(
        self, log: Log, deadly: Callable[[TP, int], bool], late: Mapping[tuple[TP, int], float] | None = None
    ) -> None:
        log.lives += 1
        self._late = late or {}
        self.now = 0.0
        self._dies_at = math.inf
        self.log = log
        self.frontier = Frontier(lambda: 0.0)
        self.guard = CrashGuard(MemoryCrashes(log.store, str(log.lives)), self._condemn)
        self._deadly = deadly
        self._position = {tp: log.committed.get(tp, 0) for tp in log.ends}
        self.seen_of_changelog = 0
        self.running = True

    async def live(self) -> None:
        """Begin an assignment, try what is on trial, then handle the rest side by side."""
        await self.guard.hold({tp: self.log.committed.get(tp, 0) for tp in self.log.ends}, self._ends)
        await self.try_all()
        await self.deliver({tp: self._records(tp, 10_000) for tp in self.log.ends})
        await self.commit()
        while self.frontier.unfinished():
            self.changelogs()

    async def try_all(self) -> None:
        """Try what is on trial."""
        await Probation(self, self, lambda: not self.running, lambda: self.now).run()

    async def _ends(self, tps: Sequence[TP]) -> Mapping[TP, int]:
        return {tp: self.log.ends[tp] for tp in tps}

    async def _condemn(self, message: TrackedMessage, detail: str) -> None:
        self.log.condemned.append((message.tp, message.offset, detail))

    def _records(self, tp: TP, most: int) -> list[FakeRecord]:
        first = self._position[tp]
        self._position[tp] = min(self.log.ends[tp], first + most)
        return [FakeRecord(offset) for offset in range(first, self._position[tp])]

    # -- as the drain

    def is_current(self) -> bool:
        """Whether the assignment lasts."""
        return self.running

    def message(self, tp: TP, record: Any) -> TrackedMessage:
        """Return a record's message."""
        return TrackedMessage(tp, record, 1)

    def give_back(self, tp: TP, batch: Sequence[Any]) -> None:
        """Seek back."""
        if batch:
            self._position[tp] = batch[0].offset

    async def fetch(self) -> Mapping[TP, Sequence[Any]]:
        """Return some of what may be fetched, and always of the changelog."""
        found = {tp: self._records(tp, 50) for tp in self.fetchable()}
        return {CHANGELOG: [FakeRecord(0)], **found}

    async def deliver(self, records: Mapping[TP, Sequence[Any]]) -> None:
        """Handle records side by side; one that is deadly ends the process, with what the others did not finish."""
        messages = [self.message(tp, record) for tp, batch in records.items() if tp != CHANGELOG for record in batch]
        self.seen_of_changelog += len(records.get(CHANGELOG, ()))
        for tp in {message.tp for message in messages}:
            self.frontier.fetched(tp, 1, [message for message in messages if message.tp == tp])
        if messages:
            self.log.together.append(len(messages))
        for message in messages:
            if self._deadly(message.tp, message.offset):
                raise DiedError
            self.log.handled.append((message.tp, message.offset))
            if (message.tp, message.offset) in self._late:
                self._dies_at = min(self._dies_at, self.now + self._late[message.tp, message.offset])
            else:
                self.ack(message)

    # -- as the consumer

    def fetchable(self) -> frozenset[TP]:
        """What may be fetched."""
        return frozenset(tp for tp in self.log.ends if self.guard.allows(tp))

    def fetch_more(self) -> None:
        """Take in more."""

    def changelogs(self) -> frozenset[TP]:
        """None needs to be polled in between; time passes, and what kills late does."""
        self.now += 1
        if self.now > self._dies_at:
            raise DiedError
        return frozenset()

    def ack(self, message: TrackedMessage) -> None:
        """Finish a record."""
        self.frontier.done(message)

    async def commit(self) -> None:
        """Commit; what is not is read again by the next life."""
        for tp in self.frontier.partitions():
            offset = self.frontier.committable(tp, 1)
            if offset is not None:
                self.log.committed[tp] = offset


class Stopped(Process):
    """A life that is stopped in an orderly way while the first records of a trial are in work."""

    async def live(self) -> None:
        """Begin an assignment, try what is on trial, finish what has begun, and end."""
        await self.guard.hold({tp: self.log.committed.get(tp, 0) for tp in self.log.ends}, self._ends)
        await self.try_all()
        await self.commit()
        await self.guard.let_go(None)

    async def deliver(self, records: Mapping[TP, Sequence[Any]]) -> None:
        """Handle records, and be told to stop."""
        await super().deliver(records)
        self.running = not any(batch for tp, batch in records.items() if tp != CHANGELOG)


async def live_through(
    log: Log,
    deadly: Callable[[TP, int], bool],
    most: int = 10,
    late: Mapping[tuple[TP, int], float] | None = None,
) -> int:
    """Start processes until one has read everything; returns how many died."""
    for died in range(most):
        try:
            await Process(log, deadly, late).live()
        except DiedError:
            continue
        return died
    raise AssertionError(f"{most} processes died; condemned: {log.condemned}")


def deadly(*places: tuple[TP, int]) -> Callable[[TP, int], bool]:
    """These records kill, whenever they are handled."""
    return lambda tp, offset: (tp, offset) in places


@pytest.mark.parametrize("bad", [0, 1, 7, 19])
async def test_a_record_that_kills_is_condemned_after_five_deaths(bad: int) -> None:
    """Two to suspect its partition, three over it alone; every other record is handled."""
    log = Log({ONE: 20, TWO: 5})
    assert await live_through(log, deadly((ONE, bad))) == 5
    ((tp, offset, detail),) = log.condemned
    assert (tp, offset) == (ONE, bad)
    assert detail == "3 times the process died while this record alone was in work"
    good = {(ONE, number) for number in range(20) if number != bad} | {(TWO, number) for number in range(5)}
    assert set(log.handled) == good
    assert log.committed == {ONE: 20, TWO: 5}


@pytest.mark.parametrize("bad", [0, 31, 32, 500, 767, 900])
async def test_among_many_it_costs_one_death_more(bad: int) -> None:
    """They are tried by the dozen first; with what could not have been in flight the search begins behind it anew."""
    log = Log({ONE: 1000})
    assert await live_through(log, deadly((ONE, bad))) in ((6,) if bad < 768 else (6, 7, 8))
    assert [(tp, offset) for tp, offset, _ in log.condemned] == [(ONE, bad)]
    assert {offset for _, offset in log.handled} == set(range(1000)) - {bad}


async def test_processes_that_are_stopped_in_the_middle_of_it_come_to_its_end() -> None:
    """Each goes on where the one before stopped, and what comes in meanwhile is not on trial."""
    log = Log({ONE: 1000})
    for _ in range(2):
        with pytest.raises(DiedError):
            await Process(log, deadly((ONE, 0))).live()
    for _ in range(IN_FLIGHT):
        process = Stopped(log, deadly())
        await process.live()
        log.ends[ONE] += 0 if process.running else 1000
    assert (process.running, log.committed[ONE]) == (True, IN_FLIGHT)
    assert log.condemned == []


async def test_several_that_kill_are_all_found() -> None:
    """In one partition and in two."""
    bad = {(ONE, 3), (ONE, 4), (TWO, 2)}
    log = Log({ONE: 10, TWO: 10})
    await live_through(log, deadly(*bad), most=20)
    assert {(tp, offset) for tp, offset, _ in log.condemned} == bad
    assert set(log.handled) == {(tp, number) for tp in (ONE, TWO) for number in range(10)} - bad


async def test_kills_from_outside_condemn_nothing() -> None:
    """Twice at one frontier, and twice more while a record is alone: it is tried again, and read as usual."""
    log = Log({ONE: 10})
    kills = iter([(ONE, 0), (ONE, 0), (ONE, 4), (ONE, 4)])
    todo = next(kills)

    def killed(tp: TP, offset: int) -> bool:
        nonlocal todo
        if (tp, offset) != todo:
            return False
        todo = next(kills, (ONE, -1))
        return True

    assert await live_through(log, killed) == 4
    assert log.condemned == []
    assert {offset for _, offset in log.handled} == set(range(10))


async def test_nothing_else_is_in_work_meanwhile_but_changelogs() -> None:
    """The other partition waits for the end of the trial; the workflow table does not."""
    log = Log({ONE: 10, TWO: 200})
    for _ in range(2):
        with pytest.raises(DiedError):
            await Process(log, deadly((ONE, 0), (TWO, 0))).live()
    log.together.clear()
    log.handled.clear()
    process = Process(log, deadly())
    await process.live()
    assert max(log.together[:-1]) <= TOGETHER
    assert log.together[:10] == [1] * 10
    assert [tp for tp, _ in log.handled[:10]] == [ONE] * 10
    assert process.seen_of_changelog > 0


async def test_records_that_take_long_hold_the_others_up_for_so_long_alone() -> None:
    """A webhook that hangs, a hundred records of one entity: then they go on beside the others, alone no more."""
    log = Log({ONE: 100, TWO: 10})
    for _ in range(2):
        with pytest.raises(DiedError):
            await Process(log, deadly((ONE, 0))).live()
    log.handled.clear()
    process = Process(log, deadly(), late={(ONE, 0): math.inf})
    await process.guard.hold({ONE: 0, TWO: 0}, process._ends)  # noqa: SLF001 - the test is its assignment
    assert process.fetchable() == {ONE}
    await process.try_all()
    assert process.guard.trials == []
    assert process.fetchable() == {ONE, TWO}
    assert [tp for tp, _ in log.handled[:TOGETHER]] == [ONE] * TOGETHER
    assert ALONE_S / 2 <= process.now <= ALONE_S
    row = log.store.rows[ONE]
    assert row.suspicion.alone == NONE_ALONE
    assert row.suspicion.deaths == 2  # the next death is one more


async def test_it_is_let_go_on_only_where_that_can_be_noted() -> None:
    """Else a death that another record causes would be put down to it."""
    log = Log({ONE: 100})
    for _ in range(2):
        with pytest.raises(DiedError):
            await Process(log, deadly((ONE, 0))).live()
    process = Process(log, deadly(), late={(ONE, 0): math.inf})
    await process.guard.hold({ONE: 0}, process._ends)  # noqa: SLF001 - the test is its assignment
    (trial,) = process.guard.trials
    log.store.reachable = False
    assert not await process.guard.put_off(trial)
    assert process.guard.trials == [trial]
    log.store.reachable = True
    assert await process.guard.put_off(trial)
    assert process.guard.trials == []


@pytest.mark.parametrize("seconds", [1, 25, 100, 400])
async def test_a_record_that_kills_late_is_condemned_too(seconds: float) -> None:
    """The time alone is twice as long after each death; nothing else is condemned."""
    log = Log({ONE: 40, TWO: 5})
    died = await live_through(log, deadly(), most=15, late={(ONE, 7): seconds})
    assert [(tp, offset) for tp, offset, _ in log.condemned] == [(ONE, 7)]
    assert died <= 11


async def test_after_it_the_partition_is_read_as_usual() -> None:
    """The deaths are forgotten: the next process tries nothing."""
    log = Log({ONE: 10})
    await live_through(log, deadly((ONE, 3)))
    after = Process(log, deadly())
    await after.live()
    assert after.guard.trials == []
    (row,) = log.store.rows.values()
    assert row.suspicion.deaths <= 1


async def test_in_the_good_case_it_costs_two_calls() -> None:
    """One when partitions are assigned, one when they are given up."""
    log = Log({ONE: 10})
    crashes = MemoryCrashes(log.store, "1")
    guard = CrashGuard(crashes, Process(log, deadly())._condemn)  # noqa: SLF001 - nothing is condemned
    await guard.hold({ONE: 0}, lambda _: asyncio.sleep(0, {}))
    await guard.let_go(None)
    await guard.let_go(None)
    assert crashes.calls == 2


@pytest.mark.parametrize("reason", [None, UnreachableError("away"), ConnectionError()])
async def test_what_ends_well_or_by_an_outage_is_no_death(reason: BaseException | None) -> None:
    """A rebalance, a stop, Kafka or Postgres away: the next process suspects nothing, however often it happens."""
    log = Log({ONE: 10})
    for _ in range(5):
        process = Process(log, deadly())
        await process.guard.hold({ONE: 0}, process._ends)  # noqa: SLF001 - the test is its assignment
        assert process.guard.trials == []
        await process.guard.let_go(reason)


async def test_without_its_store_it_works_unguarded() -> None:
    """Postgres away at an assignment: counted, and records are read all the same."""
    log = Log({ONE: 10})
    log.store.reachable = False
    await Process(log, deadly()).live()
    assert log.committed == {ONE: 10}


async def test_an_assignment_that_ends_gives_back_what_waits() -> None:
    """What was fetched and not tried is fetched again by the next."""
    log = Log({ONE: 10})
    for _ in range(2):
        with pytest.raises(DiedError):
            await Process(log, deadly((ONE, 0))).live()
    process = Process(log, lambda _, offset: stop(offset))

    def stop(offset: int) -> bool:
        process.running = offset < 4
        return False

    await process.guard.hold({ONE: 0}, process._ends)  # noqa: SLF001 - the test is its assignment
    await Probation(process, process, lambda: False).run()
    assert [offset for _, offset in log.handled] == [0, 1, 2, 3, 4]
    assert process._position[ONE] == 5  # noqa: SLF001 - what a seek did
