"""Latencies, stalls and recoveries are those of the webhooks that are sent at once."""

from dataclasses import replace

from app.services.proving.ledger import Harm, Ledger
from app.services.proving.load import HOOK
from app.services.proving.timing import quantile, timing
from tests.services.proving.made import ANSWERED_S, BEGAN, later, ledger, load


def delayed(*numbers: int, by: float) -> Ledger:
    """Return a run in which the webhooks of some events came later."""
    book = ledger(load())
    book.arrivals = [later(one, by) if one.number in numbers else one for one in book.arrivals]
    book.arrivals.sort(key=lambda one: one.at)
    return book


def test_latencies() -> None:
    """From the first time that an event was sent; what waits on purpose is not among them."""
    book = delayed(7, by=3.0)
    book.arrivals = [later(one, 60.0) if one.workflow != HOOK else one for one in book.arrivals]
    found = timing(book)
    assert (found.p50, found.longest) == (ANSWERED_S, 3.1)
    assert found.took == 4.0


def test_a_repeat_is_no_latency() -> None:
    """The first delivery counts."""
    book = ledger(load())
    book.arrivals.append(later(next(one for one in book.arrivals if one.workflow == HOOK), 50))
    assert timing(book).longest == ANSWERED_S


def test_the_longest_stall() -> None:
    """The longest time without any, and when it began."""
    found = timing(delayed(*range(10, 20), by=5.0))
    assert (found.stall, found.stall_at) == (2.1, 4.0)


def test_recovery_is_when_all_that_was_sent_before_has_arrived() -> None:
    """Counted from the end of the fault; a process is back when there is another one."""
    book = delayed(10, by=2.5)
    book.harms = [Harm("kill", "matcher", BEGAN + 1.0, BEGAN + 1.0, BEGAN + 1.6), Harm("freeze", "sink", BEGAN, BEGAN)]
    kill, freeze = timing(book).recoveries
    assert (kill.at_s, kill.seconds, kill.back_s) == (1.0, 2.6, 0.6)
    assert (freeze.seconds, freeze.back_s) == (0.1, None)


def test_recovery_waits_for_what_came_just_after_the_fault_and_was_held_up() -> None:
    """Nothing was under way as the role was killed: what it was missed by came later; what came in time is not that."""
    book = delayed(12, 13, by=2.5)
    book.harms = [Harm("kill", "matcher", BEGAN + 0.95, BEGAN + 0.95)]
    assert timing(book).recoveries[0].seconds == 2.95
    # From the next fault on it is that one's.
    book.harms.append(Harm("kill", "sink", BEGAN + 1.25, BEGAN + 1.25))
    assert [one.seconds for one in timing(book).recoveries] == [2.85, 2.65]


def test_what_never_came_has_not_recovered() -> None:
    """A lost webhook that was sent before the fault's end."""
    book = ledger(load())
    book.arrivals = [one for one in book.arrivals if one.number != 3]
    book.harms = [Harm("kill", "matcher", BEGAN + 1.0, BEGAN + 1.0)]
    assert timing(book).recoveries[0].seconds is None


def test_nothing_at_all() -> None:
    """A run without any webhook has no times, and is told all the same."""
    book = replace(ledger(load()), arrivals=[])
    assert timing(book).p50 is None


def test_seconds_are_counted() -> None:
    """For the picture: what was sent and what arrived in each."""
    assert timing(ledger(load())).by_second[:4] == [(10, 9), (10, 10), (10, 10), (10, 10)]


def test_quantile() -> None:
    """The smallest value that so many are at most."""
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert quantile([1.0] * 99 + [9.0], 0.99) == 1.0
    assert quantile([5.0], 0.5) == 5.0
