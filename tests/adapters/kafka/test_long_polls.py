"""How long a fetch that finds nothing is held."""

import pytest

from app.adapters.kafka.long_polls import LONGEST_MS, QUIET_S, Patience
from app.adapters.kafka.pacing import Flow


class Place:
    """A consumer's flow, a clock, and whether all that was fetched has been taken."""

    def __init__(self) -> None:
        self.now = 100.0
        self.taken = True
        self.flow = Flow(lambda: self.now)
        self.patience = Patience(self.flow, lambda: self.taken)

    def after(self, seconds: float) -> int:
        """How long a fetch so much later is held."""
        self.now += seconds
        return self.patience.hold_ms(100)


def test_a_fetch_is_held_long_once_nothing_has_come_for_a_while() -> None:
    """Not before: what is fetched next may be what this one leaves out."""
    place = Place()
    assert place.after(QUIET_S - 0.01) == 100
    assert place.after(0.02) == LONGEST_MS


@pytest.mark.parametrize("happening", ["records", "an assignment"])
def test_whatever_happens_ends_the_quiet(happening: str) -> None:
    """Records that were taken, and partitions that came or went; a poll that found none is nothing."""
    place = Place()
    assert place.after(QUIET_S) == LONGEST_MS
    place.flow.add(0)
    assert place.after(0) == LONGEST_MS
    if happening == "records":
        place.flow.add(1)
    else:
        place.flow.stir()
    assert place.after(QUIET_S - 0.01) == 100
    assert place.after(0.02) == LONGEST_MS


def test_while_something_waits_to_be_taken_no_fetch_is_held_long() -> None:
    """Its partition is in no fetch until then, and is to be in the next."""
    place = Place()
    place.taken = False
    assert place.after(QUIET_S * 10) == 100
    place.taken = True
    assert place.after(0) == LONGEST_MS


def test_who_asks_for_a_longer_hold_has_it() -> None:
    """The long hold shortens none."""
    place = Place()
    place.now += QUIET_S
    assert place.patience.hold_ms(5000) == 5000
