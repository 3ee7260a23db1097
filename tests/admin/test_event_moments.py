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


async def test_every_row_is_told_however_many_other_workflows_have_rows_too(api: Api, log: Log) -> None:
    """Of 210 workflows 100 are looked at for each of twenty events, and each of those has ended: none is judged."""
    user, kind, now = api.user("admin"), fresh(), datetime.now(UTC)
    workflows = [await workflow(user, kind) for _ in range(210)]
    events = [put(api, kind, at=now.timestamp()) for _ in range(20)]
    for event in events:
        for one in workflows:
            row = {"id": execution_id(one, event["source"], event["id"]), "event_id": event["id"], "event_type": kind}
            await log.add({"id": str(one)}, event=event, at=now, **row)
    items = (await user.call("GET", f"/api/v1/events?type={kind}&limit=20")).json["items"]
    told = [(len(item["workflows"]), {one["basis"] for one in item["workflows"]}) for item in items]
    assert told == [(100, {"log"})] * 20
    assert {item["workflows_left_out"] for item in items} == {110}


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


async def told(user: User, event: dict[str, Any]) -> list[tuple[str, str]]:
    """Return verdicts and reasons, from a lookup, and from the list of the newest; they are the same."""
    (one,) = (await lookup(user, event))["event"]["workflows"]
    newest = (await user.call("GET", f"/api/v1/events?type={event['type']}")).json["items"]
    (same,) = next(item["workflows"] for item in newest if item["id"] == event["id"])
    return [(each["verdict"], each["why"]) for each in (one, same)]


async def test_a_replay_is_judged_as_of_the_records_before_it(api: Api) -> None:
    """It keeps its old time: it came when the workflow was there, and its trigger turned it away, or was too old."""
    user = api.user("user", "crm:read")
    api.event_topics.clear()
    await workflow(user, "tag.removed", trigger={"type": "tag.removed", "config": {"tag": "vip"}})
    topic, now = "t.events.tag", time.time()
    alone = put(api, "tag.removed", topic, at=now - 43_200, data={"tag": "new"})
    for verdict, why in await told(user, alone):
        assert (verdict, why.startswith("By the event's time")) == ("no_workflow_then", True)
        assert why.endswith('If it came later than its time says, as replays do: Its trigger asks for more than the '
                            'type: tag "vip".')  # fmt: skip
    put(api, fresh(), topic, at=time.time())
    replayed = put(api, "tag.removed", topic, at=now - 43_200, data={"tag": "new"})
    for verdict, why in await told(user, replayed):
        assert (verdict, "as of theirs" in why) == ("turned_away", True)
    old = put(api, "tag.removed", topic, at=now - 9 * 86_400, data={"tag": "vip"})
    for verdict, why in await told(user, old):
        assert (verdict, "when it was read" in why) == ("too_old", True)
