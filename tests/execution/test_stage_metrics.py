"""How long each stage takes is observed: from Kafka to the match, to the first step, a step, to the row."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from prometheus_client import REGISTRY

from app.actions.delay import Delay
from app.execution.log_writing import Sink
from app.execution.quota import Quota
from app.ports import HttpAnswer
from app.ports.execution_log import Logged
from app.services.delivery.dead_letters import DeadLetters
from app.topics import Topics
from schemas.command import Command
from tests.execution.test_leased import HOOK, lose_the_lease, stored_result
from tests.execution.test_leased import World as Outside
from tests.execution.test_log_writing import FakeLog, execution
from tests.execution.test_matching import World as Matching
from tests.execution.test_transactional import World as Inside
from tests.support.fake_rights import FixedRights
from tests.support.receipts import ReceiptStore
from tests.support.records import FakeRecord, event_record
from tests.support.sender import MemorySender
from tests.support.slips import action, command, command_record

TOPICS = Topics("t.")
WEBHOOK = {"action_type": "webhook"}


def sample(name: str, **labels: str) -> float:
    """A sample's value, 0 before it is there."""
    return REGISTRY.get_sample_value(f"headrace_{name}", labels) or 0.0


@contextmanager
def observed(name: str, seconds: float | None, count: int = 1, **labels: str) -> Iterator[None]:
    """Expect that a histogram gets so many observations, which sum up to so many seconds, give or take a second."""
    before = sample(f"{name}_count", **labels), sample(f"{name}_sum", **labels)
    yield
    assert sample(f"{name}_count", **labels) - before[0] == count
    if seconds is not None:
        assert sample(f"{name}_sum", **labels) - before[1] == pytest.approx(seconds, abs=1.0)


def aged(world: Matching, seconds: float) -> FakeRecord:
    """An event that came into Kafka so long ago."""
    record = event_record()
    record.timestamp = (world.now - timedelta(seconds=seconds)).timestamp()
    return record


def slip(record: Any) -> Command:
    """The command in a record."""
    return Command.model_validate_json(record.value or b"")


async def test_an_events_way_to_its_match_is_observed_from_its_time_in_kafka() -> None:
    """And its command says when that was, for those who measure behind the matcher."""
    world = Matching()
    world.workflow(1)
    with observed("event_to_match_seconds", 42 + 7, count=2):
        await world.process([aged(world, 42), aged(world, 7)])
    at = slip(world.sender.on("t.actions.apply_tag")[0]).event_at
    assert at is not None
    assert (world.now - at).total_seconds() == pytest.approx(42, abs=0.01)


async def test_a_clock_that_is_ahead_makes_no_negative_time() -> None:
    """The producer's clock may be ahead of the matcher's: 0 then."""
    world = Matching()
    with observed("event_to_match_seconds", 0.0):
        await world.process([aged(world, -30)])


@pytest.mark.parametrize("hours", [25, 2000])
async def test_history_that_is_read_in_is_no_latency(hours: int) -> None:
    """An event older than a day runs, and nothing of its age is observed, here or behind."""
    world = Matching(max_age=float("inf"))
    world.workflow(1)
    with observed("event_to_match_seconds", 0, count=0):
        await world.process([aged(world, hours * 3600)])
    assert slip(world.sender.on("t.actions.apply_tag")[0]).event_at is None


async def test_who_waits_for_a_quota_is_not_observed_behind_it() -> None:
    """The wait is on purpose; it says nothing of how fast Headrace is."""
    world = Matching(quota=Quota(1, "t.over-quota", FixedRights()))
    world.workflow(1)
    world.workflow(2)
    await world.process([aged(world, 3)])
    (held,) = world.sender.on("t.over-quota")
    assert "event_at" not in orjson.loads(held.value or b"")["common"]
    assert slip(world.sender.on("t.actions.apply_tag")[0]).event_at is not None


async def test_a_first_step_is_observed_from_its_match() -> None:
    """In both kinds of executors; a later step, a copy that was parked and a retry are not."""
    matched = datetime.now(UTC) - timedelta(seconds=20)
    seen: dict[str, Any] = {"matched_at": matched, "event_at": matched}
    outside, inside = Outside(ReceiptStore()), Inside()
    hook, tag = action("webhook", **HOOK), action(tag="vip")
    with observed("match_to_step_seconds", 20):
        await outside.run(command(hook, **seen))
    with observed("match_to_step_seconds", 20):
        await inside.run(command(tag, **seen))
    with observed("match_to_step_seconds", 0, count=0):
        await outside.run(command(hook, hook, step=1, attempt=2, **seen))
        await outside.run(command(hook, matched_at=matched, attempt=3))


async def test_a_step_is_observed_by_its_type() -> None:
    """Once a command that was carried out: not a copy that comes again, not a step that is skipped."""
    store = ReceiptStore()
    one = command(action("webhook", **HOOK))
    never = [{"field": "order.total", "operator": ">", "value": 1000}]
    with observed("step_seconds", None, action_type="webhook"):
        await Outside(store).run(one)
        await Outside(store).run(one)
        await Outside(store).run(command(action("webhook", conditions=never, **HOOK), execution_id=UUID(int=77)))
    inside = Inside()
    with observed("step_seconds", None, count=3, action_type="apply_tag"):
        await inside.run(*(command(action(tag="t"), execution_id=UUID(int=90 + n)) for n in range(3)))


async def test_retries_and_uncertain_results_are_counted_by_type() -> None:
    """An attempt that another follows; a result that may stand for two effects."""
    world = Outside(ReceiptStore())
    world.http.answers = [HttpAnswer(503, {}, "")]
    before = sample("action_retries_total", **WEBHOOK), sample("uncertain_total", **WEBHOOK)
    await world.run(command(action("webhook", **HOOK)))
    assert (sample("action_retries_total", **WEBHOOK), sample("uncertain_total", **WEBHOOK)) == (
        before[0] + 1,
        before[1],
    )
    slow, stranger, running = await lose_the_lease(ReceiptStore(), one := command(action("webhook", **HOOK)))
    await stranger.release([one.id], uncertain=False)
    assert await running
    assert slow.ended[0].results[0].uncertain
    assert sample("uncertain_total", **WEBHOOK) == before[1] + 1


@pytest.mark.parametrize(("marked", "unexpected"), [(True, 0), (False, 1)])
async def test_an_effect_that_happened_twice_unmarked_is_an_unexpected_duplicate(
    marked: bool,  # noqa: FBT001 - a case
    unexpected: int,
) -> None:
    """Made here, and settled by another: whose result says ``uncertain`` where all is well, as it took a claim over."""
    one = command(action("webhook", **HOOK))
    before = sample("unexpected_duplicates_total")
    _, stranger, running = await lose_the_lease(ReceiptStore(), one)
    await stranger.finish([(one.id, stored_result() | {"uncertain": marked})])
    assert await running
    assert sample("unexpected_duplicates_total") - before == unexpected


async def test_a_copy_that_comes_again_is_no_unexpected_duplicate() -> None:
    """Nothing happened for it: redelivery is normal."""
    store, one = ReceiptStore(), command(action("webhook", **HOOK))
    before = sample("unexpected_duplicates_total")
    await Outside(store).run(one)
    await Outside(store).run(one)
    assert sample("unexpected_duplicates_total") == before


async def test_a_row_is_observed_from_the_events_time_in_kafka() -> None:
    """As its execution says; one that says nothing, or nonsense, is a row and no more."""
    log, sender = FakeLog(), MemorySender()
    at = (datetime.now(UTC) - timedelta(seconds=33)).isoformat()
    told_by = {execution(error=name): told for name, told in (("a", at), ("b", None), ("c", "yesterday"))}
    for value, told in told_by.items():
        log.answers[value.decode()] = Logged("success", datetime.now(UTC), late=False, event_at=told)
    sink = Sink(log, DeadLetters(topics=TOPICS, sender=sender, role="sink", clock=lambda: datetime.now(UTC)))
    with observed("event_to_row_seconds", 33), observed("execution_seconds", 0, count=3):
        await sink.process([FakeRecord(value) for value in told_by])


async def test_an_execution_says_when_its_event_came_unless_it_waited_on_purpose() -> None:
    """What the last step hands on to the sink; behind a delay it says nothing."""
    at = datetime.now(UTC) - timedelta(seconds=5)
    (ended,) = await Inside().run(command(action(tag="vip"), event_at=at))
    assert ended.event_at == at
    world = Inside(Delay())
    await world.receipts.start()
    waits = command(action("delay", duration=60), action("apply_tag", order=2, tag="later"), event_at=at)
    await world.process([command_record(waits, "t.actions.delay")])
    (timer,) = world.store.timers.set_timers.values()
    assert slip(timer.record).event_at is None
