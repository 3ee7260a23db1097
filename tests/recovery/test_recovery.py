"""How recovery is judged: shares of clean drains, limits, and what is only told."""

from typing import Any

import pytest

from tests.recovery.outage import Drained, of, summary
from tests.recovery.run import judged, table


def period(slowest_s: float) -> dict[str, float]:
    """The figures of a period."""
    return {"slowest_s": slowest_s, "over_a_second": 0, "of": 40}


def test_a_drain_is_counted_from_its_first_row_to_its_last() -> None:
    """What came before the first row is told beside it."""
    drained = of([103.0, 105.0, 107.0, 113.0], began=100.0)
    assert drained == Drained(per_s=0.4, first_after_s=3.0, last_after_s=13.0)


def test_an_outages_drain_is_a_share_of_the_clean_ones_around_it() -> None:
    """Their mean, so that a machine that gets slower meanwhile is not held against it."""
    said = summary(Drained(1200, 0, 1), Drained(900, 5, 9), Drained(800, 0, 1))
    assert said["share"] == 0.9
    assert said["after_outage"]["first_after_s"] == 5


@pytest.mark.parametrize(
    ("found", "good"),
    [
        ({"cold": {"workflows": 10_000, "worst_s": 4.9}}, True),
        ({"cold": {"workflows": 10_000, "worst_s": 5.1}}, False),
        ({"rebalance": {"sink": {"joins": period(9.9)}}}, True),
        ({"rebalance": {"sink": {"joins": period(9.9), "killed, comes back": period(10.1)}}}, False),
        ({"rebalance": {"sink": {"killed for good": period(47)}}}, True),
    ],
)
def test_each_limit_is_held(found: dict[str, Any], *, good: bool) -> None:
    """A killed worker that never comes back is told, not judged: its partitions rest for the session timeout."""
    assert all(line[-1] for line in judged(found)) == good
    assert ("MISSED" in table(found)) != good


@pytest.mark.parametrize(("share", "lost", "good"), [(0.8, 0, True), (0.79, 0, False), (1.2, 1, False)])
def test_after_an_outage_the_backlog_drains_and_nothing_is_lost(share: float, lost: int, *, good: bool) -> None:
    """Fast and without a hole."""
    rates = {name: Drained(100, 1, 2).as_json() for name in ("clean_before", "after_outage", "clean_after")}
    found = {"outage": {**rates, "seconds": 600, "share": share, "lost": lost}}
    assert all(line[-1] for line in judged(found)) == good
