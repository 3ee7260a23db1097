"""What is tried next of a partition that processes died over: pure decisions."""

from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.trials import IN_FLIGHT, TOGETHER, Trial, begin_trials, end_of_flight
from app.ports import Suspicion

PLACE = ("events", 0)


def suspicion(**changes: object) -> Suspicion:
    """A partition that two processes died over at offset 100."""
    return Suspicion(**{"place": PLACE, "frontier": 100, "deaths": 2, **changes})  # type: ignore[arg-type]


def test_one_death_is_no_trial() -> None:
    """Anything may kill a process once; nor is a partition tried of which nothing could have been in flight."""
    assert begin_trials([suspicion(deaths=1)], {PLACE: 200}) == []
    assert begin_trials([suspicion()], {PLACE: 100}) == []
    assert begin_trials([suspicion()], {PLACE: 101}) == [Trial(suspicion(), 101)]


def test_where_a_process_died_over_records_alone_comes_first() -> None:
    """What is most suspect is tried first: the others wait until it has passed or is condemned."""
    other = suspicion(place=("events", 1), alone=(100, 132), alone_deaths=1)
    trials = begin_trials([suspicion(), other], {PLACE: 900, other.place: 900})
    assert [trial.place for trial in trials] == [other.place, PLACE]


def test_many_are_tried_together_until_a_process_dies_over_them() -> None:
    """Then one by one, up to the last of those; few are tried one by one from the start."""
    assert Trial(suspicion(), 900).together(100) == TOGETHER
    died = Trial(suspicion(alone=(132, 164), alone_deaths=1), 900)
    assert [died.together(offset) for offset in (132, 163, 164)] == [1, 1, TOGETHER]
    assert Trial(suspicion(), 100 + TOGETHER).together(100) == 1


def test_a_record_is_condemned_when_three_died_over_it_alone() -> None:
    """Not after two, which may have been killed from outside; not with company; not another record."""
    assert Trial(suspicion(alone=(105, 106), alone_deaths=3), 900).condemned(105)
    assert not Trial(suspicion(alone=(105, 106), alone_deaths=2), 900).condemned(105)
    assert not Trial(suspicion(alone=(105, 107), alone_deaths=3), 900).condemned(105)
    assert not Trial(suspicion(alone=(105, 106), alone_deaths=3), 900).condemned(106)


def test_its_letter_says_what_is_known() -> None:
    """How often, and the error where the process could still say it."""
    said = Trial(suspicion(alone=(105, 106), alone_deaths=3, error="ValueError: 5"), 900).detail
    assert said == "3 times the process died while this record alone was in work: ValueError: 5"


@given(st.integers(-1, 10_000), st.integers(0, 10_000))
def test_what_may_have_been_in_flight_is_bounded_and_there(frontier: int, end: int) -> None:
    """Never past the partition's end, nor further than a worker takes in."""
    until = end_of_flight(frontier, end)
    assert until <= max(end, frontier)
    assert (until > frontier) == (end > max(0, frontier))
    assert frontier < 0 or until <= frontier + IN_FLIGHT
