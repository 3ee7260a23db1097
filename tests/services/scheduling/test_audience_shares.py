"""What an audience may cost the scheduler: conditions that come to the wall rest, and the next page waits."""

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from prometheus_client import REGISTRY

from app.domain.conditions import CompiledConditions, compile_conditions
from app.domain.penalties import IN_A_ROW, REFUSED_FOR_S, Penalties
from app.ports import Record
from app.ports.temporal import Release
from app.services.scheduling.audience_shares import Share, Shares
from tests.support.clock import NOW, SteppedClock
from tests.support.deadlines import scaled

MANY: Final = [{"a": n} for n in range(18_000)]
COSTLY: Final = [{"field": "customer.many", "operator": "in", "value": [{"json": {"a": -n}}]} for n in range(1, 99)]


def customers(count: int, many: Any = MANY) -> list[dict[str, Any]]:
    """So many of them, with something large each."""
    return [{"id": f"c-{number:03d}", "many": many, "plan": "gold"} for number in range(count)]


def conditions(written: list[dict[str, Any]]) -> CompiledConditions:
    """Conditions, compiled."""
    return compile_conditions(written, "audience", stored=True)


def look(shares: Shares, written: list[dict[str, Any]], page: list[dict[str, Any]], owner: str = "bad") -> Share:
    """Look a page over."""
    release = Release(uuid4(), "temporal.daily", NOW, written, after="", nonce=uuid4())
    return shares.next(conditions(written), page, release=release, owner=owner, make=_event)


def _event(customer: Mapping[str, Any]) -> Record:
    return Record("t.internal-events", customer["id"].encode(), b"{}")


def _costly() -> float:
    return REGISTRY.get_sample_value("headrace_temporal_skipped_total", {"reason": "customer_costly"}) or 0.0


def test_an_audience_that_comes_to_the_wall_three_times_rests_for_a_minute() -> None:
    """Of 500 customers it costs three, not 500; each is counted, others' audiences go on, and so does it then."""
    clock = SteppedClock()
    shares, before = Shares(10, Penalties(clock.monotonic)), _costly()
    page, began = customers(500), time.thread_time()
    looked_at: list[str] = []
    while not shares.rests("bad"):
        share = look(shares, COSTLY, page)
        looked_at.append(share.looked_at)
        page = [customer for customer in page if customer["id"] > share.looked_at]
    assert time.thread_time() - began < scaled(2.0)
    assert share.pause_s == REFUSED_FOR_S
    assert 1 <= _costly() - before <= IN_A_ROW
    assert looked_at[-1] <= "c-010"
    assert not shares.rests("good")
    assert len(look(shares, [], customers(3), "good").events) == 3
    clock.seconds += REFUSED_FOR_S
    assert not shares.rests("bad")


def test_a_page_ends_where_it_has_cost_enough() -> None:
    """Conditions below the wall, times 500, are no option either: the rest of the page is looked at later."""
    written = COSTLY[:12]
    share = look(Shares(1_000), written, customers(500))
    assert share.looked_at < "c-400"
    assert share.pause_s > 0


def test_a_share_is_as_large_as_the_rate() -> None:
    """In order; what is cheap is looked at to the end of the page, and rests only where events were made."""
    gold = [{"field": "customer.plan", "operator": "==", "value": "gold"}]
    share = look(Shares(2), gold, customers(5, many=None))
    assert ([event.key for event in share.events], share.looked_at, share.pause_s) == (
        [b"c-000", b"c-001"],
        "c-001",
        1.0,
    )
    none = look(Shares(2), [{**gold[0], "value": "free"}], customers(5, many=None))
    assert (none.events, none.looked_at, none.pause_s) == ([], "c-004", 0.0)
