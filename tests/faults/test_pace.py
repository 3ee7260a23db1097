"""Load that pauses once."""

import pytest

from tests.faults.pace import STEADY, Pace


@pytest.mark.parametrize(
    ("elapsed", "flowed"), [(0, 0), (9, 9), (10, 10), (10.5, 10), (70, 10), (71, 11), (80, 20)], ids=str
)
def test_nothing_flows_in_the_pause(elapsed: float, flowed: float) -> None:
    """Before it and after it everything does."""
    assert Pace(at_s=10, for_s=60).flowed(elapsed) == flowed


@pytest.mark.parametrize(("flowed", "elapsed"), [(0, 0), (9, 9), (10, 10), (10.5, 70.5), (20, 80)], ids=str)
def test_what_is_due_after_the_pause_is_as_much_later(flowed: float, elapsed: float) -> None:
    """As the load goes on where it was."""
    assert Pace(at_s=10, for_s=60).elapsed(flowed) == elapsed


def test_steady_load_has_no_pause() -> None:
    """Both are the same."""
    assert [STEADY.flowed(7), STEADY.elapsed(7)] == [7, 7]
