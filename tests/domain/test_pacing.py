"""Pacing: never more than the rate, and all of it."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.pacing import Paces


@given(st.integers(1, 500), st.lists(st.floats(0, 2), min_size=1, max_size=50))
def test_the_rate_is_kept_however_often_one_asks(rate: int, steps: list[float]) -> None:
    """In any stretch of time no more than its rate and one burst; and it makes up at most a quarter of a second."""
    paces, now, taken = Paces(rate), 1000.0, 0
    for step in steps:
        now += step
        taken += paces.take("a", now)
    assert taken <= rate * (sum(steps) + 0.25) + 2


def test_who_asks_all_the_time_gets_the_rate() -> None:
    """Ten a second, asked every hundredth of a second for ten seconds: a hundred."""
    paces = Paces(10)
    assert sum(paces.take("a", 50 + n / 100) for n in range(1001)) in (100, 101)


def test_names_do_not_share() -> None:
    """Each has a pace of its own, and may begin at once."""
    paces = Paces(10)
    assert (paces.take("a", 7.0), paces.take("b", 7.0), paces.take("a", 7.0)) == (1, 1, 0)
