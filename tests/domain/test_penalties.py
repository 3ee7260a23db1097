"""What comes to the wall again and again is refused for a while."""

from app.domain.penalties import FORGIVEN_AFTER_S, IN_A_ROW, REFUSED_FOR_S, Penalties
from tests.support.clock import SteppedClock


def test_after_three_in_a_row_it_is_refused_for_a_minute() -> None:
    """Then it is tried once; another wall refuses it again at once, and another key is never touched."""
    clock = SteppedClock()
    penalties = Penalties(clock.monotonic)
    for _ in range(IN_A_ROW):
        assert not penalties.refused("bad")
        penalties.reached("bad")
    assert penalties.refused("bad")
    assert not penalties.refused("good")
    clock.seconds += REFUSED_FOR_S
    assert not penalties.refused("bad")
    penalties.reached("bad")
    assert penalties.refused("bad")


def test_one_that_passes_is_forgiven() -> None:
    """In a row means in a row."""
    penalties = Penalties(SteppedClock().monotonic)
    for _ in range(IN_A_ROW * 2):
        penalties.reached("a")
        penalties.passed("a")
        assert not penalties.refused("a")


def test_one_of_long_ago_is_forgiven() -> None:
    """It counts from one again, as its last time was longer ago than that."""
    clock = SteppedClock()
    penalties = Penalties(clock.monotonic)
    for _ in range(IN_A_ROW * 2):
        penalties.reached("b")
        assert not penalties.refused("b")
        clock.seconds += FORGIVEN_AFTER_S + 1


def test_it_is_bounded() -> None:
    """Those that came to the wall last are remembered."""
    penalties = Penalties(SteppedClock().monotonic, most=2)
    for key in "aaabbbccc":
        penalties.reached(key)
    assert [key for key in "abc" if penalties.refused(key)] == ["b", "c"]
