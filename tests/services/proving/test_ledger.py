"""The ledger on disk says what the one in memory does, also after a crash in the middle of a line."""

from app.services.proving.ledger import Harm, Sending, line, read
from tests.services.proving.made import BEGAN, ledger, load


def test_what_is_written_is_read() -> None:
    """Entry by entry."""
    book = ledger(load())
    book.harms = [Harm("kill", "sink", BEGAN, BEGAN, None)]
    lines = [line(one) for one in book.sendings]
    lines += [line(one) for one in book.arrivals]
    lines += [line(one) for one in book.harms]
    assert read(lines) == book


def test_a_line_that_was_cut_off_is_left_out() -> None:
    """The process died while it wrote it."""
    whole = line(Sending(0, 5, BEGAN))
    assert read([whole, whole[:10]]).sendings == [Sending(0, 5, BEGAN)]


def test_a_batch_counts_for_each_of_its_events() -> None:
    """When each was sent, and how many there are."""
    book = read([line(Sending(0, 3, 1.0)), line(Sending(3, 2, 2.0))])
    assert book.sent == range(5)
    assert book.sent_at() == {0: 1.0, 1: 1.0, 2: 1.0, 3: 2.0, 4: 2.0}
