"""Looks at the user's CRM keep to its circuit breaker."""

from datetime import timedelta

import pytest

from app.domain.breaker import BreakerPolicy
from app.domain.clock import utc_now
from app.domain.errors import ActionFailedError
from app.execution.breakers import Breakers
from app.execution.guarded_reads import GuardedReads
from app.ports import TagRequest
from tests.support.breakers import MemoryBreakers
from tests.support.fake_crm import FakeCrm

HOST = "crm.example"


class World:
    """A CRM behind a breaker that opens after two failures, and a clock that both the worker and the store go by."""

    def __init__(self) -> None:
        self.crm = FakeCrm()
        self.passed, began = 0.0, utc_now()
        store = MemoryBreakers(lambda: began + timedelta(seconds=self.passed))
        self.breakers = Breakers(store, BreakerPolicy(threshold=2), clock=lambda: self.passed)
        self.reads = GuardedReads(self.crm, self.breakers, HOST)

    async def fail(self, *errors: ActionFailedError) -> list[str]:
        """Look while the CRM fails so; returns why each look failed."""
        said = []
        for error in errors:
            self.crm.failures = [error]
            with pytest.raises(ActionFailedError) as caught:
                await self.reads.orders(["o-1"])
            said.append(str(caught.value))
        self.crm.failures = []
        return said


async def test_a_crm_that_keeps_failing_is_left_alone() -> None:
    """After as many failures as open its breaker nothing is sent; the error says so, and how long it lasts."""
    world = World()
    await world.fail(ActionFailedError("answered 503"), ActionFailedError("no answer"))
    with pytest.raises(ActionFailedError, match=r"circuit_open: crm\.example is failing: no answer") as caught:
        await world.reads.customers(["c-1"])
    assert caught.value.retry_after == pytest.approx(30.0)
    assert not caught.value.permanent
    assert len(world.crm.asked) == 2


async def test_a_crm_that_says_no_serves() -> None:
    """What it refuses does not count as its failure, and a success ends a row."""
    world = World()
    refused = ActionFailedError("answered 400", permanent=True)
    await world.fail(refused, refused, refused, ActionFailedError("no answer"))
    await world.reads.customers_after("", 10)
    await world.fail(ActionFailedError("no answer"))
    assert await world.reads.customers(["c-1"]) == {}


async def test_a_crm_that_recovers_is_asked_again() -> None:
    """Once half open, looks are its probes; three that succeed close the breaker."""
    world = World()
    await world.crm.apply_tags([TagRequest("c-1", "VIP")])
    await world.fail(ActionFailedError("no answer"), ActionFailedError("no answer"))
    world.passed = 31.0
    for _ in range(4):
        assert list(await world.reads.customers(["c-1"])) == ["c-1"]
    assert world.breakers.shut(HOST) is None


async def test_actions_and_looks_share_the_breaker() -> None:
    """What an action has found out keeps looks away."""
    world = World()
    for _ in range(2):
        await world.breakers.record(HOST, await world.breakers.admit(HOST), "no answer")
    with pytest.raises(ActionFailedError, match="circuit_open"):
        await world.reads.orders(["o-1"])
    assert not world.crm.asked
