"""Loops are seen by the chain, and by the number of runs."""

import tracemalloc
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.causation import Link
from app.domain.loops import MAX_ITERATIONS, RunBudget, loop_reason

WORKFLOWS = st.sampled_from([UUID(int=n) for n in range(4)])
LINKS = st.builds(Link, WORKFLOWS, st.uuids())


@given(st.lists(LINKS, max_size=12), WORKFLOWS)
def test_a_fourth_iteration_is_a_loop(chain: list[Link], workflow: UUID) -> None:
    """A reason is given exactly where the chain holds the workflow three times or more, wherever in it."""
    times = sum(link.workflow_id == workflow for link in chain)
    assert (loop_reason(chain, workflow) is not None) == (times >= MAX_ITERATIONS)


@given(st.integers(1, 5), st.lists(st.integers(0, 9), max_size=30))
def test_a_budget_counts_executions_not_deliveries(limit: int, deliveries: list[int]) -> None:
    """Within a window the first so many different executions start, each as often as it is delivered."""
    budget = RunBudget(limit, 60)
    started: set[int] = set()
    for number in deliveries:
        reason = budget.spend(UUID(int=1), "c-1", UUID(int=number), 100.0)
        assert (reason is None) == (number in started or len(started) < limit)
        if reason is None:
            started.add(number)


def test_a_budget_is_one_of_a_workflow_and_an_entity() -> None:
    """Another workflow, another entity, and the next window each have their own."""
    budget = RunBudget(1, 60)
    assert budget.spend(UUID(int=1), "c-1", uuid4(), 0.0) is None
    assert budget.spend(UUID(int=2), "c-1", uuid4(), 1.0) is None
    assert budget.spend(UUID(int=1), "c-2", uuid4(), 1.0) is None
    assert budget.spend(UUID(int=1), "c-1", uuid4(), 59.9) is not None
    assert budget.spend(UUID(int=1), "c-1", uuid4(), 60.0) is None
    assert budget.spend(UUID(int=1), "c-1", uuid4(), 119.9) is not None


def test_no_limit_blocks_nobody() -> None:
    """A limit of 0 switches the budget off."""
    budget = RunBudget(0, 60)
    assert all(budget.spend(UUID(int=1), "c-1", uuid4(), 0.0) is None for _ in range(2000))


def fill(budget: RunBudget, pairs: int, runs: int, now: float) -> None:
    """Let one workflow run for many entities, so many times each."""
    for pair in range(pairs):
        for _ in range(runs):
            assert budget.spend(UUID(int=1), f"customer-{now:g}-{pair}", uuid4(), now) is None


@pytest.mark.parametrize(("pairs", "runs"), [(120, 1), (60, 20), (25, 150)])
def test_what_is_counted_is_bounded_in_bytes(pairs: int, runs: int) -> None:
    """However many entities run and however often: what is allocated stays within the bound, and little below it."""
    bound = 30_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        budget = RunBudget(1000, 60, most_bytes=bound)
        fill(budget, pairs=pairs, runs=runs, now=1.0)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert budget.size <= bound
    assert 0.5 * bound < taken <= bound
    assert budget.forgotten > 0


def test_a_loop_is_stopped_however_many_others_run() -> None:
    """The bound is reached all the while; the pair that runs over and over is not the one that is forgotten."""
    budget = RunBudget(100, 3600, most_bytes=50_000)
    blocked = 0
    for turn in range(150):
        blocked += budget.spend(UUID(int=7), "looping", uuid4(), float(turn)) is not None
        fill(budget, pairs=20, runs=1, now=float(turn))
    assert blocked == 50
    assert budget.forgotten > 1000


def test_who_was_forgotten_is_not_blocked() -> None:
    """It counts from nothing. Where the window was over, nothing was lost and nothing counts as forgotten."""
    budget = RunBudget(1, 60, most_bytes=2_000)
    assert budget.spend(UUID(int=1), "a", uuid4(), 0.0) is None
    assert budget.spend(UUID(int=1), "a", uuid4(), 0.0) is not None
    fill(budget, pairs=10, runs=1, now=59.0)
    assert budget.forgotten > 0
    assert budget.spend(UUID(int=1), "a", uuid4(), 59.0) is None
    before = budget.forgotten
    fill(budget, pairs=2, runs=1, now=500.0)
    assert budget.forgotten == before


def test_one_pair_alone_is_counted_whatever_the_bound() -> None:
    """Its budget bounds it: a loop of the only pair there is would otherwise never be seen."""
    budget = RunBudget(50, 60, most_bytes=1)
    reasons = [budget.spend(UUID(int=1), "a", uuid4(), 0.0) for _ in range(60)]
    assert sum(reason is not None for reason in reasons) == 10
