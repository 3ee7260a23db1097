"""What publishing would change: in words, for what waits, and for events like those that came last."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.admin.conftest import User, draft
from tests.admin.log import NOW, Log
from tests.admin.test_drafts import ANY, live, save
from tests.admin.test_workflows import address

TOTAL = {"field": "order.total", "operator": ">", "value": 500}


def order(number: int, total: int) -> dict[str, Any]:
    """An event of a paid order."""
    return {
        "specversion": "1.0", "id": f"e-{number}", "source": "/shop", "type": "order.paid",
        "data": {"order": {"total": total}, "customer": {"id": "c"}},
    }  # fmt: skip


async def preview(user: User, workflow: dict[str, Any]) -> dict[str, Any]:
    """Ask for the preview."""
    answer = await user.call("GET", f"{address(workflow)}/publish-preview")
    assert answer.status == 200, answer
    shown: dict[str, Any] = answer.json
    return shown


async def test_changes_are_told_in_words(user: User) -> None:
    """Each a sentence; the versions that they lie between are named."""
    workflow = await live(user)
    await save(user, workflow, draft(conditions=[{**TOTAL, "value": 1000}]))
    shown = await preview(user, workflow)
    assert shown["words"] == ["Condition now *order total* is more than 1,000 instead of 500"]
    assert (shown["live_version"], shown["draft_version"], shown["problems"]) == (2, 1, [])


async def test_the_draft_judges_what_the_live_one_has_judged(user: User, log: Log) -> None:
    """Of the logged events those are named that would come to something else; what happened is taken from the log."""
    workflow = await live(user)
    for number, total in enumerate((100, 600, 2000)):
        met = total > 500
        await log.add(
            workflow, event=order(number, total), met=met, status="success" if met else "skipped",
            at=NOW + timedelta(seconds=number), event_id=f"e-{number}",
        )  # fmt: skip
    await save(user, workflow, draft(conditions=[{**TOTAL, "value": 1000}]))
    judged = (await preview(user, workflow))["judged"]
    assert (judged["event_type"], judged["events"]) == ("order.paid", 3)
    assert judged["live"] == {"runs": 2, "conditions_not_met": 1}
    assert judged["draft"] == {"runs": 1, "conditions_not_met": 2}
    (one,) = judged["different"]
    assert (one["event_id"], one["live"], one["draft"]) == ("e-1", "runs", "conditions_not_met")


async def test_events_of_other_workflows_are_judged_by_both(user: User, log: Log) -> None:
    """A draft of another type is tried on what the caller's other workflows of it have logged, each event once."""
    workflow, other, third = await live(user), await live(user), await live(user)
    event = {**order(1, 600), "type": "order.created"}
    for one in (other, third):
        await log.add(one, event=event, event_type="order.created", at=NOW - timedelta(minutes=1))
    await save(user, workflow, draft(trigger={"type": "order.created", "config": {}}))
    judged = (await preview(user, workflow))["judged"]
    assert (judged["events"], judged["live"], judged["draft"]) == (1, {"turned_away": 1}, {"runs": 1})


async def test_what_was_blocked_is_judged_as_if_it_came_now(user: User, log: Log) -> None:
    """The loop that blocked it says nothing of the version: neither the draft nor what is live differs from itself."""
    workflow = await live(user)
    await log.add(workflow, event=order(1, 600), status="blocked", met=False)
    await save(user, workflow, draft(name="Next"))
    judged = (await preview(user, workflow))["judged"]
    assert (judged["live"], judged["draft"], judged["different"]) == ({"runs": 1}, {"runs": 1}, [])


async def test_the_newest_two_hundred_are_judged_its_own_first(user: User, log: Log) -> None:
    """Of as many as it has logged itself no other workflow's event is looked at, however new."""
    workflow, other = await live(user), await live(user)
    for number in range(203):
        total = 100 if number < 3 else 600
        at = NOW - timedelta(minutes=203 - number)
        await log.add(workflow, event=order(number, total), met=total > 500, at=at, event_id=f"e-{number}")
    await log.add(other, event=order(1000, 100), met=False, status="skipped")
    await save(user, workflow, draft(name="Next"))
    judged = (await preview(user, workflow))["judged"]
    assert (judged["events"], judged["live"]) == (200, {"runs": 200})


async def test_events_of_two_sources_are_two_and_last_months_are_none(user: User, log: Log) -> None:
    """Others' events of the last seven days count, each by its source and id."""
    workflow, other = await live(user), await live(user)
    for source, days in (("/shop", 0), ("/till", 6), ("/old", 30)):
        at = NOW - timedelta(days=days)
        await log.add(other, event={**order(1, 600), "source": source}, at=at)
    await save(user, workflow, draft(name="Next"))
    assert (await preview(user, workflow))["judged"]["events"] == 2


async def test_other_users_events_are_not_looked_at(user: User, api: Any, log: Log) -> None:
    """Row level security holds for the preview as for the log."""
    theirs = await live(api.user())
    await log.add(theirs, event=order(1, 600), at=NOW)
    workflow = await live(user)
    await save(user, workflow, draft(name="Next"))
    assert (await preview(user, workflow))["judged"]["events"] == 0


async def test_what_is_unfinished_is_not_judged(user: User) -> None:
    """Its problems are listed, what is missing among them."""
    workflow = await live(user)
    actions = [{"type": "send_notification", "order": 1, "config": {"channel": "nowhere", "title": "x", "body": "x"}}]
    await save(user, workflow, draft(actions=actions))
    shown = await preview(user, workflow)
    assert [one["path"] for one in shown["problems"]] == ["actions[0].config.channel"]
    assert shown["judged"]["events"] == 0
    await save(user, workflow, {"name": 5})
    shown = await preview(user, workflow)
    assert shown["judged"] is None
    assert shown["problems"]


async def test_what_waits_is_counted(user: User, log: Log) -> None:
    """It finishes on the version it began with; what waits of another workflow is not its own."""
    workflow, other = await live(user), await live(user)
    for one in (workflow, other):
        await log.connection.execute(
            "INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, due, topic, key,"
            " value) VALUES (gen_random_uuid(), gen_random_uuid(), %s, 'c', 0, 'delay', '', now(), 't', '', '')",
            (one["id"],),
        )
    await save(user, workflow, draft(name="Next"))
    assert (await preview(user, workflow))["waiting"] == 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", ["Name now “Third” instead of “Second”"]),
        ("?from=2&to=live", ["Name now “Second” instead of “Big order”"]),
        ("?from=live&to=1", ["Name now “Big order” instead of “Second”"]),
        ("?from=2&to=1", []),
    ],
)
async def test_any_two_states_are_compared(user: User, query: str, words: list[str]) -> None:
    """Versions by number, what is live, the draft; from what is live to the draft where nothing is said."""
    workflow = await live(user)
    await user.call("PATCH", f"{address(workflow)}?publish=true", {"name": "Second"}, headers=ANY)
    await save(user, workflow, draft(name="Third"))
    answer = await user.call("GET", f"{address(workflow)}/diff{query}")
    assert (answer.status, answer.json["words"]) == (200, words)
    assert [one["path"] for one in answer.json["changes"]] == ["name"] * len(words)


async def test_what_is_not_there_cannot_be_compared(user: User) -> None:
    """404 for a version or a draft that is not there, 400 for what names none."""
    workflow = await live(user)
    for query, status in (("", 404), ("?from=1&to=9", 404), ("?from=1&to=9999999999", 404), ("?from=0", 400)):
        assert (await user.call("GET", f"{address(workflow)}/diff{query}")).status == status, query
    assert (await user.call("GET", f"{address({'id': uuid4()})}/diff")).status == 404
