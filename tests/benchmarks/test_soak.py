"""What counts as growth in a soak."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from tests.benchmarks.soak_figures import Look, judged, lateness, quarters, rules, table


def look(at_s: float, **changes: Any) -> Look:
    """A look at two processes."""
    usual = {
        "memory_mb": {"sink": 90.0, "kafka": 400.0},
        "files": {"sink": 30, "kafka": 300},
        "broker_connections": 20,
        "sessions": 40,
        "p50_s": 0.05,
        "p99_s": 0.2,
    }
    return Look(at_s=at_s, **{**usual, **changes})


def run(last: dict[str, Any]) -> Sequence[Look]:
    """Looks of a run whose last quarter is otherwise."""
    return [look(n, **(last if n >= 30 else {})) for n in range(40)]


def test_a_run_in_which_nothing_changes_holds() -> None:
    """Each thing that may not grow is looked at."""
    found = rules(run({}))
    assert judged(found)
    assert len(found) == 8
    assert "GREW" not in table(found)


@pytest.mark.parametrize(
    ("last", "good"),
    [
        ({"memory_mb": {"sink": 94.4, "kafka": 400.0}}, True),
        ({"memory_mb": {"sink": 94.6, "kafka": 400.0}}, False),
        ({"memory_mb": {"sink": 90.0, "kafka": 800.0}}, True),
        ({"files": {"sink": 31, "kafka": 300}}, True),
        ({"files": {"sink": 32, "kafka": 300}}, False),
        ({"files": {"sink": 30, "kafka": 999}}, True),
        ({"broker_connections": 22}, False),
        ({"sessions": 42}, False),
        ({"p99_s": 0.9}, True),
        ({"p99_s": 1.1}, False),
        ({"p50_s": 1.1}, False),
    ],
)
def test_what_grows_is_seen(last: dict[str, Any], *, good: bool) -> None:
    """5 % of memory, a file or a connection more, a second of lateness; the broker is not ours, and is told only."""
    found = rules(run(last))
    assert judged(found) == good
    assert ("GREW" in table(found)) != good


def test_the_warm_up_does_not_count() -> None:
    """The first quarter may be as it is."""
    assert judged(rules([look(n, sessions=9 if n < 10 else 40) for n in range(40)]))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_run_that_was_cut_short_is_judged_as_well(count: int) -> None:
    """With as few looks as there are."""
    early, late = quarters([look(n) for n in range(count)])
    assert early
    assert late
    assert judged(rules([look(n) for n in range(count)]))


def test_a_row_that_never_came_is_very_late() -> None:
    """And nothing looked at yet is not late."""
    assert lateness([], 0.5) == 0
    assert lateness([0.1, math.inf], 0.99) > 100
