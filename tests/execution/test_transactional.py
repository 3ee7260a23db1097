"""The executor of actions on our own Postgres, over ports."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from prometheus_client import REGISTRY

from app.actions.apply_tag import ApplyTag
from app.actions.delay import Delay
from app.actions.stop_workflow import StopWorkflow
from app.execution.holding import Holding
from app.execution.preparation import Preparer
from app.execution.routing import Router
from app.execution.tracing import UNTRACED, StepTraces
from app.execution.transactional import TransactionalExecutor
from app.ports import Crm, OwnerRights
from app.services.delivery.dead_letters import DeadLetters
from app.topics import Topics
from schemas.command import Command
from schemas.dead_letter import DeadLetter
from schemas.execution import Execution
from schemas.result import ActionResult
from tests.support.current import current_over
from tests.support.fake_rights import FixedRights
from tests.support.quotas import no_holding
from tests.support.receipts import MemoryReceipts, ReceiptStore
from tests.support.records import FakeRecord
from tests.support.sender import MemorySender
from tests.support.slips import action, command, command_record

TOPICS = Topics("t.")


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class World:
    """An executor with its fakes."""

    def __init__(
        self,
        kind: Any = None,
        *,
        rights: OwnerRights | None = None,
        holding: Holding | None = None,
        traces: StepTraces = UNTRACED,
    ) -> None:
        self.store = ReceiptStore()
        self.sender = MemorySender()
        kind = kind or ApplyTag()
        self.receipts = MemoryReceipts(self.store, "executor-crm/1", timedelta(seconds=30))
        self.executor = TransactionalExecutor(
            action=kind,
            preparer=Preparer(kind, timeout=5, clock=now),
            rights=rights or FixedRights(),
            current=current_over(self.store.crm),
            receipts=self.receipts,
            holding=holding or no_holding(),
            router=Router(TOPICS, frozenset({"apply_tag", "stop_workflow", "delay"})),
            dead_letters=DeadLetters(topics=TOPICS, sender=self.sender, role="executor-crm", clock=now),
            traces=traces,
        )

    async def process(self, records: list[FakeRecord]) -> None:
        """Carry a batch out and send its slips on."""
        await self.sender.send_all(await self.executor.process(records))

    async def run(self, *commands: Command) -> list[Execution]:
        """Carry out commands as one batch and return the executions that ended."""
        await self.receipts.start()
        await self.process([command_record(one, offset=n) for n, one in enumerate(commands)])
        return [Execution.model_validate_json(record.value or b"") for record in self.sender.on("t.executions")]


def event(n: int, **data: Any) -> dict[str, Any]:
    """Return the n-th event, with more ``data``."""
    return {
        "specversion": "1.0",
        "id": f"e-{n}",
        "source": "/s",
        "type": "order.paid",
        "data": {"customer": {"id": f"c{n}"}, "n": n, **data},
    }


async def test_a_batch_is_carried_out_once_and_forwarded() -> None:
    """Every command of a batch has its effect and its slip goes on, in order."""
    world = World()
    ended = await world.run(*(command(action(tag="t{{ n }}"), event=event(n)) for n in range(3)))
    assert world.store.crm.tags == {("c0", "t0"), ("c1", "t1"), ("c2", "t2")}
    assert [one.status for one in ended] == ["success"] * 3
    assert [one.results[0].output["applied"] for one in ended] == [True] * 3


async def test_every_slip_says_which_command_it_follows_from() -> None:
    """So that one which cannot be sent ends as the dead letter of that command and of no other."""
    world = World()
    await world.receipts.start()
    records = [command_record(command(action(tag="a"), event=event(n)), offset=n) for n in range(3)]
    slips = await world.executor.process(records)
    assert [slip.cause for slip in slips] == records


async def test_a_redelivered_command_forwards_the_first_result() -> None:
    """The second copy has no effect; its slip carries what the first one came to."""
    world = World()
    one = command(action(tag="vip"))
    first = await world.run(one)
    world.store.crm.tags.clear()  # the effect would show if it happened again
    second = await world.run(one)
    assert not world.store.crm.tags
    assert second[-1].results == first[0].results


async def test_a_copy_that_does_not_run_is_counted_as_such_and_not_as_carried_out() -> None:
    """In a batch with the first one, or later."""
    world = World()
    one = command(action(tag="counted"))
    labels = {"action_type": "apply_tag", "outcome": "success"}
    before = counted("headrace_commands_dropped_total", reason="duplicate"), counted("headrace_actions_total", **labels)
    await world.run(one, one)
    await world.run(one)
    after = counted("headrace_commands_dropped_total", reason="duplicate"), counted("headrace_actions_total", **labels)
    assert after == (before[0] + 2, before[1] + 1)


def counted(name: str, **labels: str) -> float:
    """Return a counter's value."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_step_whose_conditions_fail_is_skipped_with_its_verdicts() -> None:
    """The action's own conditions see the event; not met: no effect, a skipped result that says why."""
    world = World()
    never = [{"field": "order.total", "operator": ">", "value": 1000}]
    (ended,) = await world.run(command(action(tag="vip", conditions=never)))
    assert not world.store.crm.tags
    assert (ended.results[0].status, ended.status) == ("skipped", "success")
    assert ended.results[0].verdicts[0]["actual"] == 120


async def test_conditions_that_do_not_compile_any_more_fail_their_step() -> None:
    """Saved under older rules: a failed result that names the place, no effect, and the execution goes on."""
    world = World()
    outdated = [{"field": "order.total", "operator": "~", "value": 1}]
    steps = (action(tag="vip", conditions=outdated), action(order=2, tag="next"))
    await world.run(command(*steps))
    (slip,) = world.sender.on("t.actions.apply_tag")
    (result,) = Command.model_validate_json(slip.value or b"").results
    assert not world.store.crm.tags
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.startswith("conditions[0].operator: ")


async def test_conditions_see_the_results_of_earlier_steps() -> None:
    """results.0.output… is what the first step came to; that makes a conditional stop useful."""
    world = World(StopWorkflow())
    slip = command(
        action(tag="vip"),
        action(
            "stop_workflow", 2, conditions=[{"field": "results.0.output.applied", "operator": "==", "value": False}]
        ),
        step=1,
        results=[
            {
                "step": 0,
                "action_type": "apply_tag",
                "status": "success",
                "output": {"applied": False},
                "executed_at": now(),
            }
        ],
    )
    (ended,) = await world.run(slip)
    assert ended.status == "stopped"


async def test_a_missing_variable_fails_that_action_by_name() -> None:
    """Strict templates: the undefined variable is named, the other commands of the batch go on."""
    world = World()
    ended = await world.run(
        command(action(tag="{{ order.colour }}"), event=event(1)), command(action(tag="x"), event=event(2))
    )
    assert [one.status for one in ended] == ["failed", "success"]
    assert "colour" in (ended[0].results[0].error or "")


async def test_poison_goes_to_the_dead_letters_and_its_neighbours_go_on() -> None:
    """A record that is no command is kept with its coordinates; the batch goes on."""
    world = World()
    good = command_record(command(action(tag="vip")))
    await world.receipts.start()
    await world.process([FakeRecord(b"{nope", topic="t.actions.apply_tag", offset=7), good])
    (letter,) = world.sender.on("t.dead-letters")
    decoded = DeadLetter.model_validate_json(letter.value or b"")
    assert (decoded.offset, decoded.reason, decoded.role) == (7, "not_json", "executor-crm")
    assert world.store.crm.tags == {("c1", "vip")}


class Fragile(ApplyTag):
    """Fails on one tag, the way Postgres or a mistake of ours would."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def perform_all(self, requests: Sequence[Any], crm: Crm) -> list[dict[str, Any]]:
        if any(request.tag == "bad" for request in requests):
            raise self.error
        return await super().perform_all(requests, crm)


async def test_what_postgres_refuses_is_found_and_fails_alone() -> None:
    """One command that breaks the transaction is found by halving; the others have their effect once."""
    world = World(Fragile(psycopg.DataError("invalid byte sequence")))
    tags = ["a", "b", "bad", "c", "d"]
    ended = await world.run(*(command(action(tag=tag), event=event(n)) for n, tag in enumerate(tags)))
    assert {tag for _, tag in world.store.crm.tags} == {"a", "b", "c", "d"}
    assert [one.status for one in ended] == ["success", "success", "failed", "success", "success"]


async def test_a_handler_that_raises_fails_its_command_only() -> None:
    """A mistake in an action's own code is that command's failed result, with the error's kind."""
    world = World(Fragile(ZeroDivisionError("oops")))
    ended = await world.run(*(command(action(tag=tag), event=event(n)) for n, tag in enumerate(["a", "bad"])))
    assert [one.status for one in ended] == ["success", "failed"]
    assert "ZeroDivisionError" in (ended[1].results[0].error or "")


def a_delay(**config: Any) -> Command:
    """Return the command of a delay with a tag after it."""
    return command(action("delay", **config), action("apply_tag", order=2, tag="later"))


async def delayed(world: World, one: Command) -> list[FakeRecord]:
    """Carry out a delay; returns what was sent on at once."""
    await world.receipts.start()
    await world.process([command_record(one, "t.actions.delay")])
    return [FakeRecord(record.value or b"") for record in world.sender.records]


async def test_a_delay_sets_a_timer_and_sends_nothing() -> None:
    """The timer holds the next step's command, with the delay's result, due when the delay is over."""
    world, one, began = World(Delay()), a_delay(duration="2 hours"), now()
    assert not await delayed(world, one)
    (timer,) = world.store.timers.set_timers.values()
    assert timedelta(hours=2) <= timer.due - began <= timedelta(hours=2, seconds=10)
    assert (timer.command_id, timer.kind, timer.record.topic) == (one.id, "delay", "t.actions.apply_tag")
    later = Command.model_validate_json(timer.record.value or b"")
    assert (later.step, later.results[0].status) == (1, "success")
    assert later.results[0].output == {"until": timer.due.isoformat()}


@pytest.mark.parametrize(
    ("config", "for_some_time"),
    [
        ({"duration": 60}, True),
        ({"duration": "2 hours", "timezone": "Europe/Berlin"}, True),
        ({"until": (now() + timedelta(hours=1)).isoformat()}, False),
        ({"duration": 60, "at": "09:00"}, False),
        ({"duration": 60, "days": "mon-sun"}, False),
    ],
)
async def test_a_delay_for_some_time_is_told_from_one_until_a_moment(
    config: dict[str, Any], *, for_some_time: bool
) -> None:
    """The first is as long by the clock that it is waited for by; when it was asked for is kept with it."""
    world = World(Delay())
    await delayed(world, a_delay(**config))
    timers = world.store.timers.set_timers.values()
    assert [timer.asked is not None for timer in timers] == [for_some_time]


async def test_a_delay_that_comes_again_is_not_over_sooner() -> None:
    """A redelivered copy, which finds the receipt done, sends nothing and leaves the timer as it is."""
    world, one = World(Delay()), a_delay(duration=60)
    await delayed(world, one)
    timers = dict(world.store.timers.set_timers)
    assert not await delayed(world, one)
    assert world.store.timers.set_timers == timers


async def test_a_delay_until_a_time_that_has_passed_is_none() -> None:
    """The slip goes on at once, says that the time had passed, and goes on again when the command comes again."""
    world, one = World(Delay()), a_delay(until="2020-01-01T00:00:00Z")
    (sent,) = await delayed(world, one)
    (result,) = Command.model_validate_json(sent.value or b"").results
    assert result.output == {"until": "2020-01-01T00:00:00+00:00", "passed": True}
    assert len(await delayed(world, one)) == 2
    assert not world.store.timers.set_timers


@pytest.mark.parametrize(
    ("until", "data"),
    [
        ("{{ appointment.starts_at }}", {}),
        ("{{ appointment.starts_at }}", {"appointment": {}}),
        ("{{ appointment.starts_at }}", {"appointment": {"starts_at": None}}),
        ("{{ appointment.starts_at }}", {"appointment": {"starts_at": ""}}),
        ("{{ appointment.starts_at }}", {"appointment": {"starts_at": "soon"}}),
        ("{{ appointment.starts_at }}", {"appointment": {"starts_at": 0}}),
    ],
)
async def test_a_delay_that_cannot_be_computed_lets_nothing_after_it_run(until: str, data: dict[str, Any]) -> None:
    """Missing, null, empty or no time: the execution has failed at the delay, with the reason, and no tag was sent."""
    world = World(Delay())
    (ended,) = await world.run(command(action("delay", until=until), action(tag="x", order=2), event=event(1, **data)))
    assert [record.topic for record in world.sender.records] == ["t.executions"]
    assert (ended.status, [one.status for one in ended.results]) == ("failed", ["failed", "skipped"])
    assert (ended.error or "").startswith("step 0 (delay): until: ")


async def test_a_delay_may_say_that_what_comes_after_it_runs_all_the_same() -> None:
    """on_error continue: the step fails, the next one is sent."""
    world = World(Delay())
    steps = (action("delay", until="{{ nothing }}", on_error="continue"), action(tag="x", order=2))
    await world.run(command(*steps))
    assert [record.topic for record in world.sender.records] == ["t.actions.apply_tag"]


async def test_a_delay_at_the_end_ends_the_execution_when_it_is_over() -> None:
    """Its timer holds the finished execution."""
    world = World(Delay())
    assert not await delayed(world, command(action("delay", duration="1h")))
    (timer,) = world.store.timers.set_timers.values()
    assert timer.record.topic == "t.executions"
    assert Execution.model_validate_json(timer.record.value or b"").status == "success"


@pytest.mark.parametrize(
    "config",
    [
        {"tag": "{{ results[0].status }}"},
        {"tag": "success", "conditions": [{"field": "results.0.status", "operator": "==", "value": "success"}]},
        {"tag": "{% for one in results %}{{ one.status }}{% endfor %}"},
        {"tag": "{{ (results | first).executed_at[:0] }}success"},
    ],
)
async def test_a_step_that_looks_at_earlier_results_sees_them(config: dict[str, Any]) -> None:
    """They are made ready only for steps that name them, in whichever way."""
    world = World()
    earlier = ActionResult(step=0, action_type="apply_tag", status="success", executed_at=now())
    one = command(action(tag="a"), action(order=2, **config), step=1, results=[earlier], event=event(1))
    (ended,) = await world.run(one)
    assert ended.results[1].output == {"tag": "success", "applied": True}
