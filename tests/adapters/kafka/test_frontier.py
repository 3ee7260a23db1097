"""The frontier: what may be committed, what may begin, and what an ack is still worth."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.adapters.kafka.frontier import DONE, DROPPED, FETCHED, Frontier, Lane
from tests.support.beginning import begun

TP = "work-0"


@dataclass(eq=False)
class Record:
    """A message as the frontier sees it."""

    offset: int
    lane: Lane = None  # type: ignore[assignment]  # the frontier fills it in
    state: int = DROPPED
    size: int = 1000

    def lighten(self) -> None:
        """A tenth of it stays."""
        self.size = 100


class Place(NamedTuple):
    """A partition."""

    topic: str
    partition: int


class Ticks:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@pytest.fixture
def frontier() -> Frontier:
    """A frontier with no records."""
    return Frontier(Ticks())


def fetched(frontier: Frontier, *offsets: int, generation: int = 1, tp: Any = TP) -> list[Record]:
    """Records fetched in this order."""
    records = [Record(offset) for offset in offsets]
    frontier.fetched(tp, generation, records)
    return records


def committable(frontier: Frontier, generation: int = 1) -> int | None:
    """What may be committed."""
    return frontier.committable(TP, generation)


def test_the_offset_follows_the_finished_prefix(frontier: Frontier) -> None:
    """Acks out of order count as soon as everything before them is finished; gaps between offsets are no holes."""
    a, b, c = begun(frontier, fetched(frontier, 10, 12, 15))
    frontier.done(b)
    frontier.done(c)
    assert committable(frontier) is None
    frontier.done(a)
    assert committable(frontier) == 16


def test_an_abandoned_record_leaves_a_hole(frontier: Frontier) -> None:
    """What was given back, and all after it, stays uncommitted."""
    a, b, c = begun(frontier, fetched(frontier, 0, 1, 2))
    frontier.abandon(b)
    frontier.done_many([a, c])
    assert committable(frontier) == 1
    assert frontier.begun == 0
    assert not frontier.done(b)


def test_a_discarded_record_leaves_a_hole_and_its_ack_is_ignored(frontier: Frontier) -> None:
    """What had not begun is dropped and counted; what had begun still counts."""
    a, b, c = fetched(frontier, 0, 1, 2)
    begun(frontier, [a, c])
    frontier.discard_unstarted()
    assert not frontier.begin(b)
    assert not frontier.done(b)
    assert frontier.done(a)
    assert frontier.done(c)
    assert (committable(frontier), frontier.dropped, frontier.stale) == (1, 1, 1)


def test_records_that_arrive_while_closing_never_begin(frontier: Frontier) -> None:
    """A fetch that was under way when the flow stopped is dropped like the rest."""
    fetched(frontier, 0)
    frontier.discard_unstarted()
    (late,) = fetched(frontier, 1)
    assert begun(frontier, [late]) == []
    assert frontier.is_closing(late)


def test_an_ack_after_the_revocation_is_stale(frontier: Frontier) -> None:
    """The next owner has read the record already: its ack here must not move anything."""
    (record,) = begun(frontier, fetched(frontier, 5))
    frontier.forget()
    assert not frontier.done(record)
    assert (committable(frontier), frontier.stale, frontier.begun) == (None, 1, 0)


def test_a_rejoin_with_the_same_generation_is_a_new_assignment(frontier: Frontier) -> None:
    """An ack of the former assignment does not count in the new one, though the generation's number is the same."""
    (former,) = begun(frontier, fetched(frontier, 5))
    frontier.forget()
    fetched(frontier, 5, 6)
    frontier.done(former)
    assert committable(frontier) is None


def test_another_generation_has_nothing_to_commit(frontier: Frontier) -> None:
    """The offset of one generation is not committed in the next."""
    frontier.done_many(fetched(frontier, 0))
    assert committable(frontier, generation=1) == 1
    assert committable(frontier, generation=2) is None
    fetched(frontier, 7, generation=2)
    assert committable(frontier, generation=2) is None


def test_a_record_begins_and_counts_once(frontier: Frontier) -> None:
    """A second begin is refused and a second ack is stale."""
    (record,) = fetched(frontier, 0)
    assert frontier.begin(record)
    assert not frontier.begin(record)
    assert frontier.done(record)
    assert not frontier.done(record)
    assert (frontier.begun, frontier.stale) == (0, 1)


def test_skipping_needs_no_begin(frontier: Frontier) -> None:
    """A record that nobody has to work on is acked as it is."""
    frontier.done_many(fetched(frontier, 0, 1))
    assert committable(frontier) == 2


def test_the_waiter_hears_of_the_last_begun_record() -> None:
    """The call comes once, when nothing that has begun is left."""
    calls: list[int] = []
    waited = Frontier(Ticks(), lambda: calls.append(waited.begun))
    a, b = begun(waited, fetched(waited, 0, 1))
    waited.done(b)
    assert calls == []
    waited.abandon(a)
    assert calls == [0]


def test_the_oldest_is_the_head_that_stands_still_longest() -> None:
    """Its age counts from when it became the head; acks behind it do not make it younger."""
    clock = Ticks()
    frontier = Frontier(clock)
    assert frontier.oldest() is None
    a, b, c = fetched(frontier, 0, 1, 2)
    clock.now = 3.0
    fetched(frontier, 0, tp="work-1")
    frontier.done(b)
    clock.now = 5.0
    assert frontier.oldest() == (TP, 0, 5.0)
    frontier.done(a)
    assert frontier.oldest() == ("work-1", 0, 2.0)
    frontier.done(c)
    assert frontier.unfinished() == 1


def test_what_is_finished_behind_a_slow_head_keeps_its_place_only(frontier: Frontier) -> None:
    """Its bytes go when it is finished, its place when the head is."""
    head, second, third = begun(frontier, fetched(frontier, 0, 1, 2))
    assert frontier.held() == {TP: (3000, 3)}
    frontier.done(third)
    assert frontier.held() == {TP: (2100, 3)}
    frontier.done(second)
    assert frontier.held() == {TP: (1200, 3)}
    frontier.done(head)
    assert frontier.held() == {TP: (0, 0)}


def test_what_is_dropped_gives_up_its_bytes(frontier: Frontier) -> None:
    """Nobody reads a record again that was given back, discarded, or came while its partition was given up."""
    given_back, _ = fetched(frontier, 0, 1)
    frontier.begin(given_back)
    frontier.abandon(given_back)
    assert frontier.held() == {TP: (1100, 2)}
    frontier.discard_unstarted()
    fetched(frontier, 2)
    assert frontier.held() == {TP: (300, 3)}
    frontier.forget()
    assert frontier.held() == {}


def test_the_typical_size_follows_large_records_at_once_and_small_ones_slowly(frontier: Frontier) -> None:
    """How many are taken at a time depends on it: too few of small ones costs time, too many of large ones memory."""
    for _ in range(30):
        fetched(frontier, 0)
    assert frontier.typical == pytest.approx(1000, rel=0.05)
    frontier.fetched(TP, 1, [Record(1, size=500_000), Record(2, size=100_000)])
    assert frontier.typical == 300_000
    fetched(frontier, 3)
    assert 200_000 < frontier.typical < 220_000


@pytest.mark.parametrize("topic", ["work", "other"])
def test_a_head_that_waits_for_its_turn_stands_still_since_the_last_of_its_topic_began(topic: str) -> None:
    """It may wait behind its own key for an hour; where nothing of its topic begins, that is a stall."""
    clock = Ticks()
    frontier = Frontier(clock)
    waits, busy = Place("work", 0), Place(topic, 1)
    fetched(frontier, 7, tp=waits)
    others = fetched(frontier, *range(100), tp=busy)
    for clock.now, other in zip(range(100), others, strict=True):
        frontier.begin(other)
        frontier.done(other)
    clock.now = 109.0
    assert frontier.oldest() == (waits, 7, 10.0 if topic == "work" else 109.0)


def test_a_head_that_begins_late_counts_from_then() -> None:
    """What it has waited for its turn is no part of how long it is worked on; from then on only its end counts."""
    clock = Ticks()
    frontier = Frontier(clock)
    head, second = fetched(frontier, 0, 1)
    clock.now = 200.0
    frontier.begin(head)
    clock.now = 210.0
    frontier.begin(second)
    clock.now = 230.0
    assert frontier.oldest() == (TP, 0, 30.0)


class FrontierMachine(RuleBasedStateMachine):
    """Fetches, begins, acks, drops and rejoins in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.frontier = Frontier(Ticks())
        self.generation = 1
        self.log: list[int] = []  # what the partition holds; a rejoin reads the same again
        self.next_offset = 0
        self.committed = 0
        self.lane: list[Record] = []
        self.former: list[Record] = []
        self.finished: set[int] = set()
        self.closing = False

    @rule(count=st.integers(1, 5), gap=st.integers(1, 3))
    def fetch(self, count: int, gap: int) -> None:
        """Records come in order; control records and compaction leave gaps between offsets."""
        while len(ahead := [offset for offset in self.log if offset >= self.next_offset]) < count:
            self.log.append(self.log[-1] + gap if self.log else 0)
        records = [Record(offset) for offset in ahead[:count]]
        self.next_offset = records[-1].offset + 1
        self.frontier.fetched(TP, self.generation, records)
        self.lane += records

    @precondition(lambda self: self.lane)
    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Begin succeeds exactly for what was not touched, in a partition that is not being given up."""
        record = data.draw(st.sampled_from(self.lane))
        may = record.state == FETCHED and not self.closing
        assert self.frontier.may_begin(record) is may
        assert self.frontier.begin(record) is may

    @precondition(lambda self: self.lane)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """An ack counts for what has begun, and for what is skipped while the flow is on."""
        record = data.draw(st.sampled_from(self.lane))
        counts = record.state not in {DONE, DROPPED} and not (record.state == FETCHED and self.closing)
        assert self.frontier.done(record) is counts
        if counts:
            self.finished.add(record.offset)

    @precondition(lambda self: self.lane)
    @rule(data=st.data())
    def abandon(self, data: st.DataObject) -> None:
        """Whatever it is called on, it never finishes a record."""
        self.frontier.abandon(data.draw(st.sampled_from(self.lane)))

    @precondition(lambda self: self.former)
    @rule(data=st.data())
    def late_ack(self, data: st.DataObject) -> None:
        """An ack of a former assignment never counts."""
        assert not self.frontier.done(data.draw(st.sampled_from(self.former)))

    @rule()
    def stop_the_flow(self) -> None:
        """The first step of every revocation."""
        self.frontier.discard_unstarted()
        self.closing = bool(self.lane)  # a lane opens with its first record

    @rule(same_generation=st.booleans())
    def rejoin(self, same_generation: bool) -> None:  # noqa: FBT001  # hypothesis passes it by name
        """A new assignment reads again from what was committed last."""
        self.committed = self.frontier.committable(TP, self.generation) or self.committed
        self.frontier.forget()
        self.former += self.lane
        self.lane, self.closing = [], False
        self.generation += not same_generation
        self.next_offset = self.committed

    @invariant()
    def never_passes_an_unfinished_record(self) -> None:
        """Every record of this assignment below the committable offset is finished."""
        offset = self.frontier.committable(TP, self.generation)
        if offset is not None:
            assert all(record.state == DONE for record in self.lane if record.offset < offset)

    @invariant()
    def is_as_far_as_it_may_be(self) -> None:
        """The offset is that after the finished prefix, no less."""
        expected = None
        for record in self.lane:
            if record.state != DONE:
                break
            expected = record.offset + 1
        assert self.frontier.committable(TP, self.generation) == expected

    @invariant()
    def nothing_unfinished_is_ever_committed(self) -> None:
        """Over all assignments, what lies below the last commit was finished in some of them."""
        fetched_below = {r.offset for r in [*self.former, *self.lane] if r.offset < self.committed}
        assert fetched_below <= self.finished

    @invariant()
    def counts_what_it_holds(self) -> None:
        """The bytes held are those of the records that are not behind the frontier."""
        left = [r for r in self.lane if r.offset >= (self.frontier.committable(TP, self.generation) or 0)]
        assert self.frontier.held().get(TP, (0, 0)) == (sum(r.size for r in left), len(left))
        assert all(r.size == 1000 for r in left if r.state not in {DONE, DROPPED})
        assert all(r.size == 100 for r in left if r.state in {DONE, DROPPED})

    @invariant()
    def counts_what_has_begun(self) -> None:
        """The count of begun records is that of records which are neither fetched, done nor dropped."""
        begun = [r for r in [*self.former, *self.lane] if r.state not in {FETCHED, DONE, DROPPED}]
        assert self.frontier.begun == len(begun)


FrontierMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestFrontierMachine = FrontierMachine.TestCase
