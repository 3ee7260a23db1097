"""Executors and circuit breakers: what fails is left alone, and what meets an open breaker waits instead of failing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from prometheus_client import REGISTRY

from app.domain.breaker import BreakerPolicy, BreakerState, circuit_of
from app.domain.clock import utc_now
from app.domain.retry import RetryPolicy
from app.execution.breakers import Breakers
from app.execution.bulkhead import Bulkhead, Entry
from app.execution.timing import Timing
from app.ports import HttpAnswer, Timer
from app.services.operations.shared_clock import SharedClock
from schemas.command import Command
from tests.execution.test_leased import HOOK, World
from tests.support.breakers import MemoryBreakers
from tests.support.receipts import ReceiptStore
from tests.support.slips import action, command

SHOP = "http://shop.example:80"
CIRCUIT = circuit_of(SHOP, command().workflow.owner)
ONCE = RetryPolicy(max_retries=0)
POLICY = BreakerPolicy(threshold=5, timeout=timedelta(seconds=30))


def one() -> Command:
    """A webhook to the shop."""
    return command(action("webhook", **HOOK), execution_id=uuid4())


def a_world(**more: object) -> World:
    """An executor whose breakers open after five failures, in a store of its own."""
    return World(ReceiptStore(), breakers=Breakers(MemoryBreakers(), POLICY), **more)  # type: ignore[arg-type]


class PostgresSays:
    """Knows what time it is."""

    async def now(self) -> datetime:
        """Return it."""
        return utc_now()


def parked(world: World) -> list[Timer]:
    """Return what waits."""
    return list(world.store.timers.set_timers.values())


async def failing(world: World, status: int, times: int) -> None:
    """Let commands meet a destination that answers so."""
    world.http.answers = [HttpAnswer(status, {}, "")] * times
    for _ in range(times):
        assert await world.run(one())


async def test_after_five_failures_no_attempt_is_made_and_nothing_fails() -> None:
    """The sixth command is parked with its destination, for 30 s; five minutes at most."""
    world = a_world(policy=ONCE)
    await failing(world, 503, 5)
    assert (len(world.http.requests), len(world.ended)) == (5, 5)
    before = datetime.now(UTC)
    sixth = one()
    assert await world.run(sixth)
    assert (len(world.http.requests), len(world.ended)) == (5, 5)
    (timer,) = parked(world)
    assert (timer.kind, timer.destination, timer.command_id) == ("circuit", CIRCUIT, sixth.id)
    assert timer.reason == f"circuit open: {SHOP} is failing: answered 503"
    assert timedelta(seconds=29) < timer.due - before < timedelta(seconds=31)
    assert timer.deadline is not None
    assert timedelta(seconds=299) < timer.deadline - before < timedelta(seconds=301)


async def test_workers_whose_machines_are_an_hour_apart_agree_how_long_a_command_waits() -> None:
    """One parks it and another finds it still open: it waits for five minutes in all, no hour more and no less."""
    store, breakers, off = ReceiptStore(), MemoryBreakers(), timedelta(hours=1)
    clocks = [SharedClock(PostgresSays(), own=lambda by=by: utc_now() + by) for by in (off, -off)]  # type: ignore[misc]
    ahead, behind = (
        World(store, policy=ONCE, breakers=Breakers(breakers, POLICY), timing=Timing(now=clock.now)) for clock in clocks
    )
    for clock in clocks:
        await clock.look()
    await failing(ahead, 503, 5)
    await failing(behind, 503, 5)
    before = utc_now()
    assert await ahead.run(one())
    (first,) = parked(ahead)
    assert first.deadline is not None
    assert timedelta(seconds=299) < first.deadline - before < timedelta(seconds=301)
    assert await behind.run(Command.model_validate_json(first.record.value or b""))
    (second,) = parked(behind)
    assert second.deadline == first.deadline


async def test_the_attempts_of_one_command_open_it_too_and_are_kept() -> None:
    """Its fifth attempt opens the breaker; it goes on with the sixth when the breaker lets it."""
    world = a_world(policy=RetryPolicy(max_retries=9, initial_delay=0.001))
    world.http.answers = [HttpAnswer(500, {}, "")] * 20
    assert await world.run(one())
    assert len(world.http.requests) == 5
    (timer,) = parked(world)
    copy = Command.model_validate_json(timer.record.value or b"")
    assert (copy.tried, copy.parked) == (5, 1)
    assert copy.waits_since is not None


async def test_refusals_do_not_open_it() -> None:
    """400 and 404 are answers: the destination serves."""
    world = a_world(policy=ONCE)
    await failing(world, 400, 10)
    await failing(world, 404, 10)
    assert await world.run(one())
    assert len(world.http.requests) == 21
    assert parked(world) == []


async def test_other_destinations_go_on() -> None:
    """One host's breaker is no other host's."""
    world = a_world(policy=ONCE)
    await failing(world, 503, 5)
    assert await world.run(command(action("webhook", url="http://other.example/hook"), execution_id=uuid4()))
    assert world.http.requests[-1].url == "http://other.example/hook"


async def test_who_has_waited_for_five_minutes_fails_as_circuit_open() -> None:
    """Without an attempt; the error says for how long, and why."""
    world = a_world(policy=ONCE)
    await failing(world, 503, 5)
    late = one().model_copy(update={"waits_since": datetime.now(UTC) - timedelta(seconds=301), "parked": 1})
    assert await world.run(late)
    assert len(world.http.requests) == 5
    (result,) = world.ended[-1].results
    assert (result.status, result.attempts) == ("failed", 0)
    assert result.error == f"circuit_open: {SHOP} has been failing for 300 s: answered 503"


async def test_probes_close_it_and_the_next_command_is_free() -> None:
    """Half open: three successes close it."""
    store = MemoryBreakers()
    past = datetime.now(UTC) - timedelta(seconds=1)
    store.states[CIRCUIT] = BreakerState(closed=False, until=past, reason="answered 503")
    breakers = Breakers(store, POLICY)
    world = World(ReceiptStore(), breakers=breakers)
    async with store.watch() as watch:
        breakers.see(*await watch.look())
    for _ in range(4):
        assert await world.run(one())
    assert len(world.http.requests) == 4
    assert store.states[CIRCUIT].closed
    assert store.changes == 6  # a permit and a verdict each; the fourth command asked nobody


async def test_a_destination_that_has_its_share_lets_commands_wait_in_the_timers() -> None:
    """They are parked for as long as an attempt may take, and take no slot."""
    world = World(ReceiptStore(), lane=Bulkhead(1, shared=True, most_aside=0))
    assert await world.lane.places.enter(SHOP, 0, lambda: False) is Entry.ENTERED
    before = datetime.now(UTC)
    assert await world.run(one())
    (timer,) = parked(world)
    assert (timer.kind, timer.reason) == ("retry", f"{SHOP} has its share of attempts under way")
    assert timer.due - before >= timedelta(seconds=5)
    assert world.http.requests == []


def test_one_breaker_that_cannot_be_read_hides_no_other() -> None:
    """A row with a fault in it is counted; the breakers beside it are followed."""
    now = datetime.now(UTC)
    good = BreakerState(closed=False, until=now + timedelta(seconds=60), reason="answered 503", probes=0)
    before = REGISTRY.get_sample_value("headrace_background_failures_total", {"task": "breakers"}) or 0.0
    breakers = Breakers(MemoryBreakers(), POLICY)
    breakers.see({"http://bad.example:80": replace(good, until=now.replace(tzinfo=None)), SHOP: good}, now)
    assert breakers.shut(SHOP) is not None
    assert REGISTRY.get_sample_value("headrace_background_failures_total", {"task": "breakers"}) == before + 1
