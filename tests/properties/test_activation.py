"""Properties 3 to 5: when a workflow runs and when not; from the API's write to the log that it lists."""

from typing import Any

from hypothesis import given

from tests.admin.conftest import Api
from tests.admin.test_workflows import address, written
from tests.properties.engine import Engine, event
from tests.properties.examples import DATA, PROPERTY, TAGS


def tag(name: str) -> dict[str, Any]:
    """Tag the event's customer."""
    return {"type": "apply_tag", "config": {"tag": name}}


async def tags(engine: Engine, sent: dict[str, Any]) -> list[str]:
    """Return the tags of an event's customer."""
    answer = await engine.poster.call("GET", f"/api/v1/crm/customers/{sent['subject']}")
    return sorted(answer.json["tags"]) if answer.status == 200 else []


def statuses(rows: list[dict[str, Any]]) -> list[str]:
    """Return the rows' statuses."""
    return [row["status"] for row in rows]


# Feature: automations-workflows, Property 3: Soft Delete Prevents Execution
@PROPERTY
@given(data=DATA, name=TAGS)
async def test_03_a_deleted_workflow_does_not_run(engine: Engine, api: Api, data: dict[str, Any], name: str) -> None:
    """It ran before; after its deletion an event that starts its twin has neither a row nor an effect of it."""
    user = api.user()
    workflow = await engine.workflow(user, tag(name))
    twin = await engine.workflow(user, tag(f"{name}-twin"), trigger=workflow["trigger"])
    before, after = (event(workflow["trigger"]["type"], **data) for _ in range(2))
    await engine.emit(before)
    assert (await user.call("DELETE", address(workflow))).status == 204
    await engine.emit(after)
    assert statuses(await engine.executions(user, workflow)) == ["success"]
    assert statuses(await engine.executions(user, twin)) == ["success", "success"]
    assert await tags(engine, after) == [f"{name}-twin"]


# Feature: automations-workflows, Property 4: Activation Enables Execution
@PROPERTY
@given(data=DATA, name=TAGS)
async def test_04_an_activated_workflow_runs(engine: Engine, api: Api, data: dict[str, Any], name: str) -> None:
    """Not before; then for the next event, with its effect."""
    user = api.user()
    workflow = await engine.workflow(user, tag(name), active=False)
    before, after = (event(workflow["trigger"]["type"], **data) for _ in range(2))
    await engine.emit(before)
    assert await engine.executions(user, workflow) == []
    await engine.switch(user, workflow, "activate")
    await engine.emit(after)
    (ran,) = await engine.executions(user, workflow)
    assert (ran["status"], ran["event_id"]) == ("success", after["id"])
    assert (await tags(engine, before), await tags(engine, after)) == ([], [name])


# Feature: automations-workflows, Property 5: Deactivation Preserves Configuration
@PROPERTY
@given(data=DATA, name=TAGS)
async def test_05_a_deactivated_workflow_keeps_its_configuration_and_does_not_run(
    engine: Engine, api: Api, data: dict[str, Any], name: str
) -> None:
    """Everything a user wrote is as it was; the next event has no row of it; switched on again, it runs."""
    user = api.user()
    condition = {"field": "event.type", "operator": "!=", "value": "x", "logic": "AND"}
    drafted = await engine.workflow(user, tag(name), conditions=[condition], description=name, active=False)
    workflow = await engine.switch(user, drafted, "activate")
    events = [event(workflow["trigger"]["type"], **data) for _ in range(3)]
    await engine.emit(events[0])
    off = await engine.switch(user, workflow, "deactivate")
    await engine.emit(events[1])
    read = (await user.call("GET", address(workflow))).json
    assert (written(read), off["active"], read["active"]) == (written(drafted), False, False)
    assert [ran["event_id"] for ran in await engine.executions(user, workflow)] == [events[0]["id"]]
    await engine.switch(user, workflow, "activate")
    await engine.emit(events[2])
    assert statuses(await engine.executions(user, workflow)) == ["success", "success"]
