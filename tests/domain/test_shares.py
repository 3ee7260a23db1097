"""Shares of CPU: what is short may take the whole share, what is long comes seldom, and who waits has their turn."""

from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shares import BURST_S, LONGEST_WAIT_S, SHARE, Shares, counted
from tests.support.clock import SteppedClock

OWNER, OTHER = UUID(int=9), UUID(int=10)


@pytest.mark.parametrize("piece", [0.01, 0.05, 0.2, 0.25])
def test_pieces_of_any_length_take_no_more_than_the_share(piece: float) -> None:
    """Over ten minutes in which the owner always has more to do; and of the long ones much less than that."""
    clock, taken = SteppedClock(), 0.0
    shares = Shares(clock.monotonic)
    while clock.seconds < 600:
        if shares.wait(OWNER):
            clock.seconds += 0.01
        else:
            shares.take(OWNER, piece)
            clock.seconds += piece
            taken += piece
    assert taken <= 600 * SHARE * piece / counted(piece) + BURST_S + piece


def test_pieces_just_below_the_wall_come_once_a_minute() -> None:
    """200 ms of which everybody else waits for: after one the owner waits for about a minute."""
    shares = Shares(SteppedClock().monotonic)
    shares.take(OWNER, 0.2)
    assert 50 < shares.wait(OWNER) <= 60


def test_others_are_none_of_it_and_nobody_waits_for_ever() -> None:
    """However much an owner has taken, a minute later there is more; and nothing is remembered of who has paid off."""
    clock = SteppedClock()
    shares = Shares(clock.monotonic)
    for _ in range(100):
        shares.take(OWNER, 0.25)
    assert shares.wait(OWNER) == pytest.approx(LONGEST_WAIT_S)
    assert shares.wait(OTHER) == 0
    clock.seconds += LONGEST_WAIT_S
    assert shares.wait(OWNER) == 0
    clock.seconds += BURST_S / SHARE
    assert shares.wait(OWNER) == 0
    assert not shares


def test_who_lines_up_has_turns_one_after_the_other() -> None:
    """Spaced by what the last piece took; whose turn has come goes, although others wait; a new one does not."""
    clock = SteppedClock()
    shares = Shares(clock.monotonic)
    assert shares.line_up(OWNER) == 0
    shares.take(OWNER, 0.2)
    first, second = shares.line_up(OWNER), shares.line_up(OWNER)
    assert second - first == pytest.approx(counted(0.2) / SHARE)
    clock.seconds += first
    assert shares.line_up(OWNER, again=True) == 0
    assert shares.line_up(OWNER) == pytest.approx(second + counted(0.2) / SHARE - first)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.01, 0.25)), max_size=60))
def test_a_line_never_goes_faster_than_the_share(steps: list[tuple[float, float]]) -> None:
    """Turns are handed out in order, whatever comes when."""
    clock, turns = SteppedClock(), [0.0]
    shares = Shares(clock.monotonic)
    for gap, piece in steps:
        clock.seconds += gap
        shares.take(OWNER, piece)
        wait = shares.line_up(OWNER)
        if wait:
            assert clock.seconds + wait >= turns[-1]
            turns.append(clock.seconds + wait)


def test_memory_is_bounded() -> None:
    """Those that took some last are remembered."""
    shares = Shares(SteppedClock().monotonic, most=10)
    owners = [uuid4() for _ in range(100)]
    for owner in owners:
        shares.take(owner, 0.2)
    assert (len(shares), shares.wait(owners[0])) == (10, 0)
    assert shares.wait(owners[-1])


@pytest.mark.parametrize("each", [0.0, 0.00001, 0.0001, 0.001])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_short_is_neither_counted_nor_refused(each: float, seed: int) -> None:
    """A tick of the clock may fall on microseconds: an honest owner with much to do loses no run."""
    random, shares, long, short = Random(seed), Shares(SteppedClock().monotonic), UUID(int=1), UUID(int=2)
    for _ in range(3_000):
        seen = 0.01 if random.random() < each / 0.01 else 0.0
        if seen or shares.watches(short):
            shares.note(OWNER, short, seen)
    assert not shares
    for _ in range(20):
        shares.note(OWNER, long, 0.2)
    assert shares.refuses(OWNER, long)
    assert not shares.refuses(OWNER, short)
    assert not shares.refuses(OTHER, long)


@pytest.mark.parametrize("each", [0.006, 0.008, 0.0099])
@pytest.mark.parametrize("seed", range(5))
def test_many_times_several_ms_are_held_to_the_share(each: float, seed: int) -> None:
    """No single time shows it; of a minute of nothing else it gets no more than twice its share, and some seconds."""
    random, clock, taken = Random(seed), SteppedClock(), 0.0
    shares, piece = Shares(clock.monotonic), UUID(int=1)
    while clock.seconds < 60:
        if shares.refuses(OWNER, piece):
            clock.seconds += 0.01
            continue
        clock.seconds += each
        taken += each
        seen = 0.01 if random.random() < each / 0.01 else 0.0
        if seen or shares.watches(piece):
            shares.note(OWNER, piece, seen)
    assert BURST_S < taken < 2 * SHARE * 60 + 3


def test_that_a_piece_was_long_is_forgotten() -> None:
    """After a minute it may show that it is short by now."""
    clock = SteppedClock()
    shares = Shares(clock.monotonic)
    for _ in range(100):
        shares.note(OWNER, UUID(int=1), 0.2)
    clock.seconds += 61
    assert not shares.refuses(OWNER, UUID(int=1))


@pytest.mark.parametrize("ticks", range(200))
def test_two_ticks_are_long_whenever_they_come(ticks: int) -> None:
    """Their difference, as floats have it, is 0.02 or a little less: it counts all the same, and one tick does not."""
    for more, seen in ((1, False), (2, True)):
        shares = Shares(SteppedClock().monotonic)
        shares.note(OWNER, UUID(int=1), (ticks + more) * 0.01 - ticks * 0.01)
        assert bool(shares) is seen
