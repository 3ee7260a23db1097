"""The specification's own examples and the coverage that it asks for, translated; each test names its section.

The examples of properties 1, 9 and 13 are the tests of these properties, in this folder; the integration example is
``tests/integration/test_specification_examples.py``.
"""

import asyncio
from typing import Any

import pytest

from app.domain.clock import utc_now
from app.domain.conditions import Scope, compile_conditions
from app.domain.errors import InvalidError
from app.ports import HttpAnswer
from app.services.ingest.emitter import EventEmitter
from schemas.event import Event
from tests.admin.conftest import Api
from tests.properties.engine import Engine, event, new_type
from tests.support.sender import MemorySender
from tests.support.subscriber import MemoryGroup, MemorySubscriber
from tests.support.waiting import in_time

DATA = {"order": {"total": 1500}, "customer": {"tags": ["VIP", "Premium"], "email": "ana@example.com", "name": "Ana"}}


def met(conditions: list[dict[str, Any]], data: dict[str, Any]) -> bool:
    """Evaluate conditions, as the specification's ``evaluator.evaluate`` does."""
    return compile_conditions(conditions).evaluate(Scope(data=data, event={}, now=utc_now())).met


def test_should_evaluate_and_logic_correctly() -> None:
    """Unit Testing, Example Unit Test: the same conditions, joined by AND, on the same event data."""
    conditions: list[dict[str, Any]] = [
        {"field": "order.total", "operator": ">", "value": 1000, "logic": "AND"},
        {"field": "customer.tags", "operator": "contains", "value": "VIP"},
    ]
    assert met(conditions, DATA)
    assert not met(conditions, {**DATA, "customer": {"tags": ["Premium"]}})


@pytest.mark.parametrize(
    ("field", "operator", "holds", "fails"),
    [
        ("order.total", ">", 1000, 1500),
        ("order.total", "<", 1501, 1500),
        ("order.total", ">=", 1500, 1501),
        ("order.total", "<=", 1500, 1499),
        ("order.total", "==", 1500, 1000),
        ("order.total", "!=", 1000, 1500),
        ("customer.tags", "contains", "VIP", "vip"),
        ("customer.tags", "not_contains", "vip", "VIP"),
        ("customer.email", "starts_with", "ana@", "bob@"),
        ("customer.email", "ends_with", "example.com", "example.org"),
        ("customer.name", "in", ["Ana", "Bob"], ["Bob"]),
        ("customer.name", "not_in", ["Bob"], ["Ana"]),
    ],
)
def test_all_operators(field: str, operator: str, holds: Any, fails: Any) -> None:
    """Unit Testing, Condition Evaluator: every supported operator, with a value that holds and one that does not."""
    assert met([{"field": field, "operator": operator, "value": holds}], DATA)
    assert not met([{"field": field, "operator": operator, "value": fails}], DATA)


def test_logic_combinations() -> None:
    """Unit Testing, Condition Evaluator: AND, OR and NOT, where AND binds tighter."""
    yes: dict[str, Any] = {"field": "order.total", "operator": "==", "value": 1500}
    no: dict[str, Any] = {"field": "order.total", "operator": "==", "value": 0}
    assert met([{**yes, "logic": "OR"}, {**no, "logic": "AND"}, no], DATA)
    assert not met([{**no, "logic": "OR"}, {**yes, "logic": "AND"}, no], DATA)
    assert met([{"not": no}], DATA)
    assert not met([{"not": yes}], DATA)


def hook(path: str) -> dict[str, Any]:
    """A webhook."""
    return {"type": "webhook", "config": {"url": f"https://hooks.example.com/{path}"}}


async def test_workflow_engine(engine: Engine, api: Api) -> None:
    """Unit Testing, Workflow Engine: a trigger is processed, a workflow executed by hand, and tried without effect."""
    user = api.user()
    workflow = await engine.workflow(user, hook("x"))
    assert (await engine.run(workflow, event(workflow["trigger"]["type"])))["status"] == "success"
    path = f"/api/v1/workflows/{workflow['id']}"
    started = await user.call("POST", f"{path}/execute", {"data": {"customer": {"id": "c-1"}}})
    await engine.settle()
    assert started.status == 202
    assert [row["status"] for row in await engine.rows(workflow)] == ["success"] * 2
    tried = await user.call("POST", f"{path}/test", {"event": {"data": {}}})
    await engine.settle()
    assert tried.json["status"] == "success"
    assert (len(engine.http.requests), len(await engine.rows(workflow))) == (2, 2)


async def test_retry_logic_and_error_handling(engine: Engine, api: Api) -> None:
    """Unit Testing, Action Executor: what may pass is retried, what may not is not, and the rest still runs."""
    workflow = await engine.workflow(api.user(), hook("busy"), hook("wrong"), hook("fine"))
    engine.forget()
    engine.http.answers = [HttpAnswer(status, {}, "") for status in (503, 503, 200, 400, 200)]
    row = await engine.run(workflow, event(workflow["trigger"]["type"]))
    results = row["actions_executed"]
    assert [(one["status"], one["attempts"]) for one in results] == [("success", 3), ("failed", 1), ("success", 1)]
    assert row["status"] == "partial"


async def test_event_broadcasting_and_subscription_management(engine: Engine) -> None:
    """Unit Testing, Event Emitter: every handler of a type gets its events and no others, after ``off`` none."""
    memory = MemorySender()
    emitter = EventEmitter(memory, engine.topics, MemorySubscriber(MemoryGroup(memory)))
    first, second = asyncio.Queue[Event](), asyncio.Queue[Event]()
    emitter.on("order.paid", first.put)
    emitter.on("order.paid", second.put)
    await emitter.emit(event("order.created"))
    await emitter.emit(event("order.paid") | {"id": "one"})
    listening = asyncio.create_task(emitter.listen())
    assert [(await in_time(queue.get(), 10, what="the event")).id for queue in (first, second)] == ["one", "one"]
    emitter.off("order.paid", first.put)
    await emitter.emit(event("order.paid") | {"id": "two"})
    assert (await in_time(second.get(), 10, what="the second event")).id == "two"
    assert first.empty()
    listening.cancel()
    with pytest.raises(InvalidError):
        emitter.on("order", first.put)


async def test_queue(engine: Engine, api: Api) -> None:
    """Unit Testing, Queue Manager: priorities 1 to 3 are enqueued in the high lane, others in the normal one."""
    user, kind = api.user(), new_type()
    for priority in (1, 3, 4, 9):
        await engine.workflow(user, hook(str(priority)), trigger={"type": kind}, priority=priority)
    engine.forget()
    await engine.emit(event(kind))
    lanes = [len(engine.sent(engine.topics.actions("webhook", lane))) for lane in ("high", "normal")]
    assert lanes == [2, 2]
    assert sorted(request.url.rpartition("/")[2] for request in engine.http.requests) == ["1", "3", "4", "9"]
    status = await api.user("admin").call("GET", "/api/v1/queue")
    assert status.status == 200


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": None}, "name"),
        ({"trigger": None}, "trigger"),
        ({"trigger": {"type": "order payed"}}, "trigger.type"),
        ({"conditions": [{"field": "a", "operator": "~", "value": 1}]}, "conditions[0].operator"),
        ({"actions": [{"type": "apply_tag", "order": 1, "config": {}}]}, "actions[0].config.tag"),
    ],
)
async def test_validation_errors(api: Api, changes: dict[str, Any], path: str) -> None:
    """Error Handling Strategy, Validation Errors: 400 with detailed messages, and nothing is created."""
    user = api.user()
    draft = {"name": "w", "trigger": {"type": "order.paid"}, "actions": [{**hook("x"), "order": 1}], **changes}
    given = {name: value for name, value in draft.items() if value is not None}
    answer = await user.call("POST", "/api/v1/workflows", given)
    assert answer.status == 400
    assert path in {error["path"] for error in answer.json["errors"]}
    listed = await user.call("GET", "/api/v1/workflows")
    assert listed.json["items"] == []


async def test_a_thousand_concurrent_events(engine: Engine, api: Api) -> None:
    """Performance Testing, Load Testing: 1,000 events at once; all workflows execute successfully, once each."""
    workflow = await engine.workflow(api.user(), {"type": "apply_tag", "config": {"tag": "seen"}})
    events = [event(workflow["trigger"]["type"]) for _ in range(1000)]
    await engine.emit(*events)
    rows = await engine.rows(workflow)
    assert {row["event_id"] for row in rows} == {sent["id"] for sent in events}
    assert (len(rows), {row["status"] for row in rows}) == (1000, {"success"})
