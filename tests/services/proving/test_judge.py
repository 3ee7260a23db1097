"""The recount finds each way in which a promise can be broken, and blames nothing that went well."""

from collections import Counter
from dataclasses import replace

import pytest

from app.services.proving.judge import Found, judge, repeated
from app.services.proving.ledger import Arrival
from app.services.proving.load import HOOK, OWN, Load
from tests.services.proving.made import EVENTS, found, ledger, load


@pytest.mark.parametrize("crm", [True, False])
def test_a_run_that_went_well_is_good(*, crm: bool) -> None:
    """Every row, every webhook and, with the CRM, every tag and note are expected and counted once."""
    ours = load(crm=crm)
    verdict = judge(ours, ledger(ours), found(ours))
    assert verdict.good, verdict.wrong
    assert (verdict.events, verdict.executions) == (EVENTS, EVENTS * len(ours.names))
    own = EVENTS // 10
    assert verdict.effects == EVENTS + own + (2 * own if crm else 0)


def test_the_events_that_try_the_way_are_not_counted() -> None:
    """They are there before the load, with webhooks and rows of their own."""
    ours = load()
    first = {execution: [one.status] for execution, one in ours.expected(range(-2, 0))}
    told = found(ours)
    book = ledger(ours)
    book.arrivals.insert(0, Arrival("b3c1e2f0-0000-4000-8000-000000000001", HOOK, -1, "x", 0.0))
    assert judge(ours, book, replace(told, rows={**told.rows, **first})).good


def test_a_webhook_that_did_not_come_is_lost() -> None:
    """Whatever the log says of it."""
    ours = load()
    book = ledger(ours)
    del book.arrivals[3]
    verdict = judge(ours, book, found(ours))
    assert (verdict.lost, verdict.good) == (1, False)
    assert verdict.wrong[0].startswith("lost: the webhook for event 3 ")


def test_a_webhook_that_came_twice_counts_by_its_mark() -> None:
    """Marked it is as promised; unmarked it is not; the log is asked about those alone."""
    ours = load()
    book = ledger(ours)
    book.arrivals.append(book.arrivals[3])
    (twice,) = repeated(book, ours)
    unmarked = judge(ours, book, found(ours))
    assert (unmarked.twice_unmarked, unmarked.twice_marked, unmarked.good) == (1, 0, False)
    marked = judge(ours, book, replace(found(ours), uncertain={twice}))
    assert (marked.twice_unmarked, marked.twice_marked, marked.good) == (0, 1, True)


@pytest.mark.parametrize("key", ["b3c1e2f0-0000-4000-8000-000000000001", "no id", ""])
def test_a_webhook_that_nobody_asked_for_is_one_too_many(key: str) -> None:
    """Its key is that of no step of ours, or none at all."""
    ours = load()
    book = ledger(ours)
    book.arrivals.append(replace(book.arrivals[3], key=key))
    assert judge(ours, book, found(ours)).twice_unmarked == 1


def test_rows_are_judged() -> None:
    """One that is missing is lost, one too many is double, one that ended otherwise has failed."""
    ours = load()
    rows = dict(found(ours).rows)
    missing, double, failed, *_ = rows
    del rows[missing]
    rows[double] = rows[double] * 2
    rows[failed] = ["failed"]
    verdict = judge(ours, ledger(ours), replace(found(ours), rows=rows))
    assert (verdict.lost, verdict.twice_unmarked, verdict.failed) == (1, 1, 1)


def test_a_row_of_no_event_is_one_too_many() -> None:
    """Something ran that nobody has sent."""
    ours = load()
    ((stray, one),) = list(ours.expected(range(EVENTS, EVENTS + 1)))[:1]
    rows = {**found(ours).rows, stray: [one.status]}
    assert judge(ours, ledger(ours), replace(found(ours), rows=rows)).twice_unmarked == 1


@pytest.mark.parametrize("what", ["tags", "notes"])
def test_the_crm_is_judged(what: str) -> None:
    """Of both: one that is missing is lost, one that is there twice is double, one of no event is one too many."""
    ours = load()
    missing, double, *_ = ours.own(range(EVENTS))
    held = {**dict.fromkeys(ours.own(range(EVENTS)), 1), double: 2, f"{ours.run}-999": 1}
    del held[missing]
    told = found(ours)
    broken = replace(told, tags=held) if what == "tags" else replace(told, notes=held)
    verdict = judge(ours, ledger(ours), broken)
    assert (verdict.lost, verdict.twice_unmarked) == (1, 2)


def test_order_is_that_of_first_deliveries_of_one_customer() -> None:
    """Other customers may overtake; a repeat that comes late is none out of order."""
    ours = load()
    book = ledger(ours)
    hooks = [place for place, one in enumerate(book.arrivals) if one.workflow == HOOK]
    one, other, same = hooks[0], hooks[1], hooks[4]
    book.arrivals[one], book.arrivals[other] = book.arrivals[other], book.arrivals[one]
    assert judge(ours, book, found(ours)).disordered == 0
    book = ledger(ours)
    book.arrivals[one], book.arrivals[same] = book.arrivals[same], book.arrivals[one]
    assert judge(ours, book, found(ours)).disordered == 1


def test_what_is_told_is_bounded() -> None:
    """A run that lost everything tells of a hundred, and counts all."""
    ours = load()
    verdict = judge(ours, ledger(ours), Found({}, frozenset(), {}, {}))
    assert (len(verdict.wrong), verdict.lost) == (100, EVENTS * 3 + 2 * len(ours.own(range(EVENTS))))


def test_each_effect_belongs_to_one_event() -> None:
    """No two have a key or a text in common, or a repeat would look like another's."""
    ours = Load("0123abcd", 4, crm=True, ids=load().ids)
    keys = Counter(key for key, _, _ in ours.effects(range(EVENTS)))
    assert max(keys.values()) == 1
    assert len(ours.own(range(EVENTS))) == sum(
        one.workflow == OWN and one.status == "success" for _, one in ours.expected(range(EVENTS))
    )
