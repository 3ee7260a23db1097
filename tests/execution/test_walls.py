"""What comes to the wall in an agent: a failed step, or a workflow not started, that says so; the others go on."""

import re
import time
from typing import Any, Final
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from app.actions.registry import REGISTRY as ACTIONS
from app.actions.steps import resolve
from app.domain.evaluate import OVER_SHARE
from app.domain.penalties import IN_A_ROW, REFUSED_FOR_S, Penalties
from app.domain.wall import MESSAGE
from app.execution.preparation import Prepared, Preparer
from schemas.command import Command
from schemas.execution import Execution
from schemas.result import ActionResult
from tests.execution.test_matching import World
from tests.execution.test_transactional import now
from tests.support.clock import SteppedClock
from tests.support.deadlines import scaled
from tests.support.records import event_record
from tests.support.slips import action, command

# Within its steps, and yet some 20 ms; a step of many such comes to the wall.
HEAVY: Final = "{% for i in range(9999) %}{% if nowhere.a.b.c is defined %}{% endif %}{% endfor %}"
MOST_S: Final = 1.0
LARGE: Final = {"id": "c1", "many": [{"a": n} for n in range(18_000)]}
COSTLY: Final = [{"field": "customer.many", "operator": "in", "value": [{"json": {"a": -n}}]} for n in range(1, 99)]


def _walls(what: str, outcome: str) -> float:
    return REGISTRY.get_sample_value("headrace_walls_total", {"what": what, "outcome": outcome}) or 0


def _preparer(penalties: Penalties | None) -> Preparer:
    kind = ACTIONS.find("webhook")
    assert kind is not None
    return Preparer(kind, timeout=5, clock=now, penalties=penalties)


def _hook(body: Any, **more: Any) -> Command:
    return command(action("webhook", url="https://shop.example/", body=body), **more)


def _conditional() -> Command:
    made = _hook("x")
    made.workflow.actions[0] = made.workflow.actions[0].model_copy(update={"conditions": COSTLY})
    made.event["data"] = {"customer": LARGE}
    return made


def _prepared(preparer: Preparer, made: Command) -> Prepared | ActionResult:
    return preparer.prepare(resolve(made))


@pytest.mark.parametrize("where", ["body", "headers"])
def test_a_step_fails_at_the_wall_and_names_the_field(where: str) -> None:
    """All templates of a step have one wall, however many there are; the one at which it was reached is named."""
    fields: dict[str, Any] = {
        "body": {"a": [HEAVY] * 100},
        "headers": {f"X-{number}": HEAVY * 2 for number in range(50)},
    }
    began = time.thread_time()
    result = _prepared(
        _preparer(None), command(action("webhook", url="https://shop.example/", **{where: fields[where]}))
    )
    assert isinstance(result, ActionResult)
    assert result.status == "failed"
    assert re.fullmatch(rf"{where}\.(a\[\d+\]|X-\d+): {MESSAGE}", str(result.error))
    assert time.thread_time() - began < scaled(MOST_S)


def test_conditions_of_a_step_end_at_the_wall() -> None:
    """The step fails, and says that it was its conditions."""
    began = time.thread_time()
    result = _prepared(_preparer(None), _conditional())
    assert isinstance(result, ActionResult)
    assert (result.status, result.error) == ("failed", f"conditions: {MESSAGE}")
    assert time.thread_time() - began < scaled(MOST_S)


def test_a_step_that_comes_to_the_wall_again_and_again_is_refused_for_a_minute() -> None:
    """Three times in a row; then it fails at once, counted and with the reason, and its neighbours are none of it."""
    clock = SteppedClock()
    preparer = _preparer(Penalties(clock.monotonic))
    reached, refused = _walls("step", "reached"), _walls("step", "refused")
    costly = _conditional()
    for _ in range(IN_A_ROW):
        assert f"conditions: {MESSAGE}" in str(_error(_prepared(preparer, costly)))
    began = time.thread_time()
    assert "not tried again for a minute" in str(_error(_prepared(preparer, costly)))
    assert time.thread_time() - began < scaled(0.1)
    assert (_walls("step", "reached") - reached, _walls("step", "refused") - refused) == (IN_A_ROW, 1)
    other = _hook("x")
    other.workflow = other.workflow.model_copy(update={"id": UUID(int=77)})
    assert isinstance(_prepared(preparer, other), Prepared)
    clock.seconds += REFUSED_FOR_S
    assert "not tried again" not in str(_error(_prepared(preparer, costly)))


def _error(made: Prepared | ActionResult) -> str | None:
    assert isinstance(made, ActionResult)
    return made.error


async def test_conditions_that_come_to_the_wall_are_one_plan_of_many() -> None:
    """Not started, with the reason, and from then on the owner is over their share; the workflow beside it starts."""
    world = World()
    world.workflow(1, conditions=COSTLY)
    world.workflow(2, conditions=[], owner=type(world.workflow(3, active=False).id)(int=10))
    for number in range(3):
        await world.process([event_record(id=f"e-{number}", data={"customer": LARGE, "order": {"total": 1}})])
    rows = [Execution.model_validate_json(record.value or b"") for record in world.sender.on("t.executions")]
    assert [row.status for row in rows] == ["skipped"] * 3
    assert [row.error for row in rows] == [f"conditions: {MESSAGE}", OVER_SHARE, OVER_SHARE]
    assert len(world.sender.on("t.actions.apply_tag")) == 3


async def test_who_is_over_their_share_gets_only_a_try_of_what_was_never_seen() -> None:
    """Ten workflows whose conditions come to the wall, and one event: the first takes it, the others end at 30 ms."""
    world = World()
    for number in range(1, 11):
        world.workflow(number, conditions=COSTLY)
    world.workflow(11, conditions=[{"field": "order.total", "operator": ">", "value": 0}])
    began = time.thread_time()
    await world.process([event_record(id="e-1", data={"customer": LARGE, "order": {"total": 1}})])
    assert time.thread_time() - began < scaled(1.2)
    rows = [Execution.model_validate_json(record.value or b"") for record in world.sender.on("t.executions")]
    assert [row.error for row in rows] == [f"conditions: {MESSAGE}", *[OVER_SHARE] * 9]
    assert len(world.sender.on("t.actions.apply_tag")) == 1
