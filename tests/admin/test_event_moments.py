"""As of when an event without a row is judged, and which workflows have a say in it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.ids import execution_id
from tests.admin.conftest import Api, User
from tests.admin.log import Log
from tests.admin.test_event_verdicts import fresh, lookup, put, workflow


async def verdicts(user: User, event: dict[str, Any]) -> dict[str, str]:
    """Return what became of an event, by workflow."""
    found = await lookup(user, event)
    return {one["workflow_id"]: one["verdict"] for one in found["event"]["workflows"]}


async def test_a_workflow_that_was_deleted_before_says_nothing(api: Api) -> None:
    """One that was deleted after the event had come does."""
    user, kind = api.user("user", "crm:read"), fresh()
    before, after = [await workflow(user, kind) for _ in range(2)]
    await user.call("DELETE", f"/api/v1/workflows/{before}")
    event = put(api, kind, at=time.time())
    await user.call("DELETE", f"/api/v1/workflows/{after}")
    assert set(await verdicts(user, event)) == {str(after)}


async def test_any_workflows_row_tells_when_the_event_was_matched(api: Api, log: Log) -> None:
    """All workflows are matched at once, so the first row counts, not when the record came: who was not there then."""
    user, kind = api.user("user", "crm:read"), fresh()
    first, later, silent = [await workflow(user, kind) for _ in range(3)]
    now = datetime.now(UTC)
    event = put(api, kind, at=now.timestamp())
    for ran, at in ((first, now - timedelta(minutes=30)), (later, now)):
        row = {"id": execution_id(ran, event["source"], event["id"]), "event_id": event["id"], "event_type": kind}
        await log.add({"id": str(ran)}, event=event, at=at, **row)
    assert await verdicts(user, event) == {str(first): "ran", str(later): "ran", str(silent): "no_workflow_then"}


async def test_a_run_by_hand_concerns_its_workflow_alone(api: Api) -> None:
    """The owner's other workflows of the type have no verdict on it."""
    user, kind = api.user("user", "crm:read"), fresh()
    one, _ = [await workflow(user, kind) for _ in range(2)]
    event = put(api, kind, "t.internal-events", source="/headrace/manual", workflowid=str(one))
    assert set(await verdicts(user, event)) == {str(one)}


async def test_a_large_event_is_told_without_being_shown(api: Api) -> None:
    """Fifty of them would be an answer of many megabytes; its size is said."""
    user, kind = api.user("user", "crm:read"), fresh()
    for chars, shown in ((1_000, True), (70_000, False)):
        found = (await lookup(user, put(api, kind, data={"text": "x" * chars})))["event"]
        assert (found["event"] is not None, found["size"] > chars) == (shown, True)
