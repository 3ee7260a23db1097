"""Steps of an owner who is over their share of CPU: they wait or fail, counted and with the reason; others go on."""

import time
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from prometheus_client import REGISTRY

from app.domain.evaluate import OVER_SHARE
from app.domain.shares import SAID, Shares
from app.execution.holding import MOST_WAIT, TURNED_AWAY, Holding, TurnedAway
from app.execution.routing import Router, read_command
from app.ports import Timer
from schemas.command import Command
from schemas.execution import Execution
from tests.execution.test_leased import World as OutsideWorld
from tests.execution.test_matching import TOPICS, World
from tests.execution.test_transactional import World as OwnWorld
from tests.execution.test_transactional import event, now
from tests.support.clock import SteppedClock
from tests.support.deadlines import scaled
from tests.support.receipts import ReceiptStore
from tests.support.records import FakeRecord, event_record
from tests.support.slips import action, command
from tests.support.timers import FakeTimers

OTHER: Final = UUID(int=77)
# Some 100 to 200 ms, and it fails: neither the wall nor what is called costly.
BELOW: Final = "{% for i in range(9999) %}{% if nowhere.a.b.c is defined %}{% endif %}{% endfor %}" * 7
ROUTER: Final = Router(TOPICS, frozenset({"apply_tag", "webhook", "stop_workflow", "delay"}))


class Held:
    """Holding over timers in memory."""

    def __init__(self) -> None:
        self.clock, self.timers = SteppedClock(), FakeTimers()
        self.shares = Shares(self.clock.monotonic)
        self.holding = Holding(self.shares, self.timers, ROUTER, now)

    def own(self) -> OwnWorld:
        """Return an executor of effects in Postgres behind it."""
        return OwnWorld(holding=self.holding)

    def outside(self) -> OutsideWorld:
        """Return an executor of webhooks behind it."""
        return OutsideWorld(ReceiptStore(), holding=self.holding)


def _walls(outcome: str) -> float:
    return REGISTRY.get_sample_value("headrace_walls_total", {"what": "step", "outcome": outcome}) or 0


def _tags(count: int, tag: str, owner: UUID | None = None) -> list[Command]:
    first = 1_000 if owner else 0
    made = [command(action(tag=tag), event=event(first + number)) for number in range(count)]
    for one in made:
        one.workflow = one.workflow.model_copy(update={"owner": owner or one.workflow.owner})
    return made


async def test_a_batch_of_steps_just_below_the_wall_costs_a_few_of_them() -> None:
    """Of forty the first few are carried out; the rest wait, each with the reason; another owner's step goes on."""
    held, before = Held(), _walls("delayed")
    world = held.own()
    began = time.thread_time()
    ended = await world.run(*_tags(40, BELOW), *_tags(1, "mine", OTHER))
    assert time.thread_time() - began < scaled(2)
    assert {"mine"} <= {tag for _, tag in world.store.crm.tags}
    timers = list(held.timers.set_timers.values())
    assert len(timers) + len(ended) <= 41
    assert timers  # how many wait and how many fail goes by how long each took
    assert {timer.kind for timer in timers} == {"quota"}
    assert all(SAID in timer.reason for timer in timers)
    assert _walls("delayed") - before == len(timers)


async def test_every_step_of_such_a_batch_waits_or_ends_and_says_why() -> None:
    """None is lost: those that would wait for more than five minutes fail, and are forwarded as such."""
    held = Held()
    world = held.own()
    many = 400  # so that some would wait for too long also where a step takes 15 ms
    ended = await world.run(*_tags(many, BELOW))
    assert len(ended) + len(held.timers.set_timers) == many
    errors = [str(one.results[0].error) for one in ended]
    assert errors.count(TURNED_AWAY) == many - len(held.timers.set_timers) - sum(e != TURNED_AWAY for e in errors)
    assert TURNED_AWAY in errors


async def test_what_waited_is_carried_out_in_its_turn() -> None:
    """Its copy is the same command, and goes when its time has come although its owner's others still wait."""
    held = Held()
    held.shares.take(UUID(int=9), 0.2)
    world = held.own()
    one = _tags(1, "{% if true %}late{% endif %}")[0]
    held.shares.take(one.workflow.owner, 0.2)
    assert await world.run(one) == []
    (timer,) = held.timers.set_timers.values()
    copy = read_command(FakeRecord(timer.record.value), "apply_tag")
    assert (copy.id, copy.parked) == (one.id, one.parked)
    held.clock.seconds += (timer.due - now()).total_seconds() + 1
    (ended,) = await world.run(copy)
    assert ended.status == "success"


async def test_a_step_of_text_and_paths_does_not_wait() -> None:
    """There is nothing in it that could take long."""
    held = Held()
    world = held.own()
    (one,) = _tags(1, "t{{ n }}")
    held.shares.take(one.workflow.owner, 0.25)
    assert [ended.status for ended in await world.run(one)] == ["success"]


async def test_effects_outside_wait_as_well() -> None:
    """The command is acked, nothing was sent, and there is no receipt; one that waited too long fails."""
    held = Held()
    world = held.outside()
    hook = command(action("webhook", url="https://shop.example/", body=BELOW))
    held.shares.take(hook.workflow.owner, 0.25)
    assert await world.run(hook)
    assert (world.http.requests, world.ended) == ([], [])
    assert len(held.timers.set_timers) == 1
    hook.waits_since = now() - MOST_WAIT
    assert await world.run(hook)
    assert world.ended[0].results[0].error == TURNED_AWAY


async def test_what_an_outside_step_takes_counts_for_its_owner() -> None:
    """Also where it fails."""
    held = Held()
    hook = command(action("webhook", url="https://shop.example/", body=BELOW))
    await held.outside().run(hook)
    assert held.shares.wait(hook.workflow.owner)


def test_a_wait_is_bounded() -> None:
    """Past five minutes the line is closed."""
    held = Held()
    made = _tags(1, BELOW)[0]
    held.shares.take(made.workflow.owner, 0.2)
    judged: list[Any] = [held.holding.judge(made) for _ in range(30)]
    waiting = [one for one in judged if isinstance(one, Timer)]
    assert all(isinstance(one, TurnedAway) for one in judged[len(waiting) :])
    assert 3 < len(waiting) < 20
    assert max(one.due for one in waiting) - now() <= MOST_WAIT + timedelta(seconds=1)


async def test_conditions_of_many_workflows_hold_events_no_longer_than_once() -> None:
    """Fifty of one owner, 40 ms each: of the next event they are not evaluated, with rows; all that is short starts."""
    world = World()
    costly = [{"field": "many", "operator": "in", "value": [{"json": {"n": n}}]} for n in range(98)]
    short = [{"field": "order.total", "operator": ">", "value": 0}]
    for number in range(50):
        world.workflow(number + 1, conditions=costly)
    world.workflow(98, conditions=short)
    world.workflow(99, owner=OTHER, conditions=short)
    data = {"many": list(range(4_000)), "order": {"total": 5}, "customer": {"id": "c"}}
    await world.process([event_record(id="e-1", data=data)])
    began = time.thread_time()
    await world.process([event_record(id="e-2", data=data)])
    assert time.thread_time() - began < scaled(0.8)
    rows = [Execution.model_validate_json(record.value or b"") for record in world.sender.on("t.executions")]
    assert len(rows) == 100
    assert sum(row.error == OVER_SHARE for row in rows) > 35
    assert len(world.sender.on("t.actions.apply_tag")) == 4


async def test_commands_say_whose_they_are() -> None:
    """In a header, so that nobody's steps wait behind those of somebody else's workflows for the same customer."""
    world = World()
    world.workflow(1)
    await world.process([event_record(id="e", data={"order": {"total": 5}, "customer": {"id": "c"}})])
    (record,) = world.sender.on("t.actions.apply_tag")
    again = ROUTER.again(read_command(FakeRecord(record.value), "apply_tag"))
    assert list(record.headers) == list(again.headers) == [("headrace-owner", UUID(int=9).bytes)]
