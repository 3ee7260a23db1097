"""When a failing destination sees attempts: on an injected clock, and once in real time (property 14)."""

import asyncio
from dataclasses import dataclass
from typing import Final

import pytest

from app.adapters.http.client import open_http_client
from app.domain.retry import RetryPolicy
from app.embedded.webhook_receiver import Behaviour, WebhookReceiver
from app.execution.timing import Timing
from app.ports import HttpAnswer, HttpRequest
from schemas.result import ActionResult
from tests.execution.test_leased import World
from tests.support.clock import SteppedClock
from tests.support.fake_http import FakeHttp
from tests.support.receipts import ReceiptStore
from tests.support.slips import action, command

SCHEDULE: Final = (0, 1, 3, 7)
NO_JITTER: Final = RetryPolicy(max_jitter=0)
LATEST_S: Final = 0.9


class TimedHttp(FakeHttp):
    """Keeps when each request came."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__()
        self.at: list[float] = []
        self._clock = clock

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Note the time, and answer as told."""
        self.at.append(self._clock.monotonic())
        return await super().send(request, within=within, body_limit=body_limit)


async def attempts(*answers: HttpAnswer, jitter: float = 1.0, policy: RetryPolicy = NO_JITTER) -> list[float]:
    """Return when a destination that answers so, then 200, sees attempts at one command; seconds from the first."""
    clock = SteppedClock()
    http = TimedHttp(clock)
    http.answers = list(answers)
    timing = Timing(clock.monotonic, clock.sleep, lambda: jitter)
    world = World(ReceiptStore(), policy=policy, http=http, timing=timing)
    assert await world.run(command(action("webhook", url="http://shop.example/hook")))
    return [round(at, 6) for at in http.at]


@pytest.mark.parametrize("failures", range(6))
async def test_a_destination_that_fails_sees_attempts_at_0_1_3_and_7_seconds(failures: int) -> None:
    """K failures, k = 0..5: the first k + 1 of these moments, and never a fifth attempt."""
    seen = await attempts(*[HttpAnswer(503, {}, "")] * failures)
    assert seen == list(SCHEDULE[: failures + 1])


async def test_chance_brings_a_retry_forward_by_its_share_at_most() -> None:
    """With the default of a tenth and the worst luck the waits are 0.9, 1.8 and 3.6 s."""
    seen = await attempts(*[HttpAnswer(503, {}, "")] * 3, policy=RetryPolicy())
    assert seen == [0, 0.9, 2.7, 6.3]


async def test_retry_after_is_waited_for() -> None:
    """429 with Retry-After 3: the second attempt comes at 3 s, not at 1; then the backoff of a second retry."""
    seen = await attempts(HttpAnswer(429, {"Retry-After": "3"}, ""), HttpAnswer(429, {}, ""), policy=RetryPolicy())
    assert seen == [0, 3, 4.8]


async def test_a_refusal_is_final() -> None:
    """400 is tried once."""
    assert await attempts(HttpAnswer(400, {}, "")) == [0]


@dataclass(frozen=True, slots=True)
class Case:
    """A destination's answers before 200, with the headers of all of them, and when it is to see attempts."""

    first: tuple[int, ...]
    expected: tuple[float, ...]
    status: str = "success"
    headers: tuple[tuple[str, str], ...] = ()

    async def run(self, world: World) -> tuple[ActionResult, list[float]]:
        """Carry one command out; returns its result, and when its attempts came, in seconds from the first."""
        receiver = WebhookReceiver()
        receiver.behaviour = Behaviour(first=list(self.first), headers=self.headers)
        await receiver.start()
        try:
            one = command(action("webhook", url=f"{receiver.url}/hook"))
            assert await world.run(one)
        finally:
            await receiver.stop()
        began = receiver.deliveries[0].received_at
        assert {delivery.key for delivery in receiver.deliveries} == {str(one.id)}
        (result,) = (ended.results[0] for ended in world.ended if ended.execution_id == one.execution_id)
        return result, [delivery.received_at - began for delivery in receiver.deliveries]


CASES: Final = (
    *(Case((503,) * k, SCHEDULE[: k + 1], "success" if k < len(SCHEDULE) else "failed") for k in range(6)),
    Case((429,), (0, 2), headers=(("Retry-After", "2"),)),
    Case((400,), (0,), "failed"),
)


async def test_so_it_is_in_real_time() -> None:
    """Real HTTP, real clock, all cases side by side: no attempt early, none a second late, one key for all of them."""
    async with open_http_client(allow_private=True) as http:
        worlds = [World(ReceiptStore(), policy=NO_JITTER, http=http) for _ in CASES]
        seen = await asyncio.gather(*(case.run(world) for case, world in zip(CASES, worlds, strict=True)))
    for case, (result, at) in zip(CASES, seen, strict=True):
        assert (result.status, result.attempts) == (case.status, len(case.expected))
        assert len(at) == len(case.expected)
        lateness = [moment - due for moment, due in zip(at, case.expected, strict=True)]
        assert all(-0.02 < late < LATEST_S for late in lateness), (case, at)
