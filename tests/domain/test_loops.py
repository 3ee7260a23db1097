"""Loops are seen by the chain, and by the number of runs."""

from uuid import UUID, uuid4

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


def test_what_is_counted_is_bounded() -> None:
    """Beyond so many pairs the one that began first is forgotten: memory is bounded, and the newest are still held."""
    budget = RunBudget(1, 60, most=2)
    for entity in ("a", "b", "c"):
        assert budget.spend(UUID(int=1), entity, uuid4(), 0.0) is None
    assert budget.spend(UUID(int=1), "c", uuid4(), 1.0) is not None
    assert budget.spend(UUID(int=1), "a", uuid4(), 1.0) is None
