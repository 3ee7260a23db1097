"""A caller's CPU: so many seconds a minute, theirs alone, and a turn for the others in between."""

import asyncio

import pytest

from app.domain.wall import METER
from app.services.access.cpu_budget import CpuBudget, CpuSpentError, breathe
from tests.support.clock import SteppedClock


def test_what_is_spent_comes_back_evenly() -> None:
    """Five seconds a minute; who has spent them waits as long as the answer says."""
    clock = SteppedClock()
    budget = CpuBudget(5, clock.monotonic)
    budget.spend("a", 4.9)
    budget.check("a")
    budget.spend("a", 0.25)
    with pytest.raises(CpuSpentError, match="At most 5 s of CPU a minute") as caught:
        budget.check("a")
    budget.check("b")
    clock.seconds += caught.value.retry_after
    budget.check("a")


def test_zero_sets_no_limit() -> None:
    """As with requests."""
    budget = CpuBudget(0, SteppedClock().monotonic)
    budget.spend("a", 1_000)
    budget.check("a")


def test_callers_are_bounded() -> None:
    """Those that spent last are remembered."""
    budget = CpuBudget(5, SteppedClock().monotonic, most=1)
    budget.spend("a", 9)
    budget.spend("b", 9)
    budget.check("a")
    with pytest.raises(CpuSpentError):
        budget.check("b")


async def test_between_two_pieces_everybody_else_has_a_turn() -> None:
    """And a caller without CPU goes no further."""
    seen: list[str] = []
    budget = CpuBudget(5, SteppedClock().monotonic)
    token = METER.set(budget.of("a"))
    try:
        asyncio.get_running_loop().call_later(0.001, seen.append, "turn")
        account = METER.get()
        assert account is not None
        account.spend(0.05)
        await breathe()
        assert seen == ["turn"]
        budget.spend("a", 6)
        with pytest.raises(CpuSpentError):
            await breathe()
    finally:
        METER.reset(token)
