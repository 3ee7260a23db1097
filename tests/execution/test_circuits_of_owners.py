"""Circuit breakers and owners: what one user's workflows come to closes no destination for anybody else."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.adapters.http.client import open_http_client
from app.domain.breaker import WIDESPREAD, BreakerPolicy
from app.domain.retry import RetryPolicy
from app.execution.breakers import Breakers
from app.ports import HttpAnswer
from schemas.command import Command
from tests.execution.test_leased import HOOK, World
from tests.support.breakers import MemoryBreakers
from tests.support.raw_http import raw_server
from tests.support.receipts import ReceiptStore
from tests.support.slips import action, command

ONCE = RetryPolicy(max_retries=0)
POLICY = BreakerPolicy(threshold=5, timeout=timedelta(seconds=30))
ATTACKER, OTHER = UUID(int=666), UUID(int=1)


def of(owner: UUID, **config: object) -> Command:
    """A webhook to the shop, of somebody's workflow."""
    one = command(action("webhook", **{**HOOK, **config}), execution_id=uuid4())
    return one.model_copy(update={"workflow": one.workflow.model_copy(update={"owner": owner})})


def a_world(**more: object) -> World:
    """An executor whose breakers open after five failures, in a store of its own."""
    return World(ReceiptStore(), policy=ONCE, breakers=Breakers(MemoryBreakers(), POLICY), **more)  # type: ignore[arg-type]


async def failing(world: World, owner: UUID, status: int = 503) -> None:
    """Let five commands of somebody fail."""
    world.http.answers = [HttpAnswer(status, {}, "")] * POLICY.threshold
    for _ in range(POLICY.threshold):
        assert await world.run(of(owner))
    world.http.answers = []


def waiting(world: World) -> int:
    """Return how many commands are parked."""
    return len(world.store.timers.set_timers)


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_an_owner_who_fails_on_purpose_waits_alone(status: int) -> None:
    """A path that answers 500 or 429 opens the owner's own circuit; others reach the same host as before."""
    world = a_world()
    await failing(world, ATTACKER, status)
    assert await world.run(of(ATTACKER))
    assert (len(world.http.requests), waiting(world)) == (5, 1)
    assert await world.run(of(OTHER))
    assert (len(world.http.requests), waiting(world)) == (6, 1)


async def test_one_owners_failing_probes_keep_nobody_out() -> None:
    """However often the attacker's circuit opens again, the others' stays closed."""
    world = a_world()
    for _ in range(3):
        await failing(world, ATTACKER)
    assert await world.run(of(OTHER))
    assert world.ended[-1].status == "success"


async def test_a_destination_that_fails_for_three_owners_is_left_alone_by_all() -> None:
    """Then it is the destination: a fourth owner's command waits without an attempt, and says why."""
    world = a_world()
    for number in range(WIDESPREAD):
        assert waiting(world) == 0
        await failing(world, UUID(int=100 + number))
    made = len(world.http.requests)
    assert await world.run(of(OTHER))
    assert (len(world.http.requests), waiting(world)) == (made, 1)
    (timer,) = world.store.timers.set_timers.values()
    assert timer.reason == "circuit open: http://shop.example:80 is failing: answered 503"
    assert await world.run(of(OTHER, url="http://other.example/hook"))
    assert len(world.http.requests) == made + 1


async def test_a_timeout_that_the_workflow_chose_is_not_blamed_on_the_destination() -> None:
    """The seen case: a time too short for any answer, six times over; the owner's own circuit stays closed too."""
    async with open_http_client(allow_private=True) as http, raw_server() as server:
        server.answer = None
        world = a_world(http=http)
        for _ in range(POLICY.threshold + 1):
            assert await world.run(of(ATTACKER, url=f"{server.url}/hook", timeout_s=0.00001))
        assert {one.results[0].status for one in world.ended} == {"failed"}
        assert (len(world.ended), waiting(world)) == (POLICY.threshold + 1, 0)


@pytest.mark.parametrize("url", ["http://no-such-name.invalid/hook", "http://127.0.0.1:1/hook"])
async def test_mistakes_in_a_url_open_nothing(url: str) -> None:
    """A name that nothing has, an address that is refused: the workflow's own, however often."""
    async with open_http_client(allow_private=False) as http:
        world = a_world(http=http)
        for _ in range(POLICY.threshold + 1):
            assert await world.run(of(OTHER, url=url))
        assert (len(world.ended), waiting(world)) == (POLICY.threshold + 1, 0)


async def test_where_a_redirect_leads_is_not_blamed_on_who_redirects() -> None:
    """An open redirect at a busy host to a port where nobody listens: the busy host serves."""
    async with open_http_client(allow_private=True) as http, raw_server() as server:
        server.answer = b"HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        world = a_world(http=http)
        for _ in range(POLICY.threshold + 1):
            assert await world.run(of(OTHER, url=f"{server.url}/hook"))
        assert (len(world.ended), waiting(world)) == (POLICY.threshold + 1, 0)


async def test_a_timeout_of_the_whole_usual_time_counts() -> None:
    """A destination that hangs for as long as the installation gives it opens the circuit."""
    async with open_http_client(allow_private=True) as http, raw_server() as server:
        server.answer = None
        world = a_world(http=http, attempt_within=0.05)
        for _ in range(POLICY.threshold + 1):
            assert await world.run(of(OTHER, url=f"{server.url}/hook"))
        assert (len(world.ended), waiting(world)) == (POLICY.threshold, 1)
