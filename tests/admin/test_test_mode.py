"""Test mode: a workflow on a sample or on an event that really came, judged and rendered as it would be."""

from typing import Any
from uuid import uuid4

import pytest

from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log
from tests.admin.test_openapi import assert_as_described
from tests.admin.test_runs import ROOT, steps, tag

PAST: dict[str, Any] = {
    "specversion": "1.0", "id": "shop-7", "source": "/shop", "type": "order.paid", "subject": "c-7",
    "data": {"order": {"total": 750, "id": "o-7"}, "customer": {"id": "c-7", "name": "Ada", "email": "a@example.com"}},
}  # fmt: skip
MAIL = {
    "type": "send_email",
    "config": {
        "subject": "Order {{ order.id }}",
        "text": "Dear {{ customer.name }}",
        "html": "<p>Dear {{ customer.name }}</p>",
    },
}


def hook(url: str) -> dict[str, Any]:
    """A webhook."""
    return {"type": "webhook", "config": {"url": url, "headers": {"X-Of": "{{ order.id }}"}}}


async def tried(user: User, body: dict[str, Any], path: str = f"{ROOT}/test") -> dict[str, Any]:
    """The report."""
    answer = await user.call("POST", path, body)
    assert answer.status == 200, answer.json
    assert_as_described(answer, "POST", f"{ROOT}/test" if path == f"{ROOT}/test" else f"{ROOT}/{{id}}/test")
    report: dict[str, Any] = answer.json
    return report


async def test_a_draft_is_tried_on_a_sample(user: User) -> None:
    """Of its trigger's type, whole: the conditions see its values, the mail is as it would be sent."""
    conditions = [{"field": "order.total", "operator": ">", "value": 500}]
    report = await tried(user, {"workflow": draft(conditions=conditions, actions=steps(MAIL)), "sample": True})
    assert (report["event"]["id"], report["matched"], report["conditions_met"]) == ("sample-order.paid", True, False)
    verdict = report["verdicts"][0]
    assert (verdict["actual"], verdict["met"]) == ("199.00", False)
    assert "199.00" in report["explanation"]
    (step,) = report["steps"]
    assert (step["runs"], step["error"]) == (False, "the workflow would not run")
    sent = step["would_send"]
    assert (sent["subject"], sent["text"], sent["html"]) == ("Order o-5001", "Dear Ana Lima", "<p>Dear Ana Lima</p>")
    assert sent["to"] == ["ana@example.com"]


@pytest.mark.parametrize("by", ["execution", "source and id"])
@pytest.mark.parametrize("stored", [True, False])
async def test_a_workflow_is_tried_on_an_event_that_really_came(user: User, log: Log, by: str, *, stored: bool) -> None:
    """A stored one or a draft; the event is the one of the log, named by an execution of it or by its own names."""
    ran = await user.create()
    event = {**PAST, "id": f"shop-{uuid4().hex}"}
    row = await log.add(ran, event=event, event_id=event["id"], entity="c-7")
    past = {"execution_id": str(row["id"])} if by == "execution" else {"source": "/shop", "id": event["id"]}
    actions = steps(MAIL, tag("big"))
    if stored:
        workflow = await user.create(actions=actions)
        report = await tried(user, {"past": past}, f"{ROOT}/{workflow['id']}/test")
    else:
        report = await tried(user, {"past": past, "workflow": draft(actions=actions)})
    assert (report["event"], report["status"]) == (event, "success")
    assert report["steps"][0]["would_send"]["subject"] == "Order o-7"


async def test_another_users_events_are_not_there(api: Api, user: User, log: Log) -> None:
    """404 for an execution of theirs and for an event that only theirs tell of; also where the source is another."""
    event = {**PAST, "id": f"shop-{uuid4().hex}"}
    row = await log.add(await user.create(), event=event, event_id=event["id"])
    other = api.user()
    for who, past in (
        (other, {"execution_id": str(row["id"])}),
        (other, {"source": "/shop", "id": event["id"]}),
        (user, {"source": "/elsewhere", "id": event["id"]}),
    ):
        answer = await who.call("POST", f"{ROOT}/test", {"workflow": draft(), "past": past})
        assert answer.status == 404, answer.json


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"sample": True, "event": {"data": {}, "id": "x"}}, ""),
        ({"sample": True, "past": {"execution_id": str(uuid4())}}, ""),
        ({"past": {"source": "/shop"}}, "past"),
        ({"past": {}}, "past"),
        ({"past": {"execution_id": str(uuid4()), "source": "/s", "id": "1"}}, "past"),
        ({"past": {"execution_id": "x"}}, "past.execution_id"),
        ({"sample": "which"}, "sample"),
    ],
)
async def test_a_choice_of_event_that_is_none_is_named(user: User, body: dict[str, Any], path: str) -> None:
    """One of event, sample and past; of a past one either the execution, or source and id."""
    answer = await user.call("POST", f"{ROOT}/test", {"workflow": draft(), **body})
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [path]), answer.json


async def test_the_address_guard_is_judged_too(user: User) -> None:
    """A webhook that leads inside fails as it would in earnest, and is shown; one that has no address now does not."""
    urls = ["https://inside.example.com/x", "https://hooks.example.com/x", "https://nowhere.example.com/x"]
    report = await tried(user, {"workflow": draft(actions=steps(*map(hook, urls)), conditions=[]), "sample": True})
    assert report["open_to"] is None
    assert [step["reach"]["verdict"] for step in report["steps"]] == ["refused", "public", "unresolved"]
    assert [step["status"] for step in report["steps"]] == ["failed", "success", "success"]
    refused = report["steps"][0]
    assert "inside.example.com leads to a private" in refused["error"]
    assert refused["would_send"]["http"]["headers"]["X-Of"] == "o-5001"
    assert report["status"] == "partial"


async def test_a_host_that_is_a_secret_is_not_looked_up(user: User) -> None:
    """Nothing is known of it in a trial."""
    report = await tried(
        user, {"workflow": draft(actions=steps(hook("{{ secrets.HOST }}")), conditions=[]), "sample": True}
    )
    assert report["steps"][0]["reach"] is None
