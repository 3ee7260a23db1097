"""Test mode: a workflow on a sample or on an event that really came, judged and rendered as it would be."""

import time
from typing import Any
from uuid import uuid4

import pytest

from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log
from tests.admin.test_event_verdicts import put
from tests.admin.test_openapi import assert_as_described
from tests.admin.test_runs import ORDER, ROOT, steps, tag

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


async def test_an_event_that_never_matched_is_found_in_the_topics(api: Api, user: User) -> None:
    """No execution has it; a draft and a stored workflow are tried on it as it came, all of it, whatever its size."""
    event = {**PAST, "id": f"shop-{uuid4().hex}", "data": {**PAST["data"], "long": "x" * 100_000}}
    put(api, "order.paid", "t.events.order", **event)
    workflow = await user.create(actions=steps(MAIL))
    for body, path in (
        ({"workflow": draft(actions=steps(MAIL))}, f"{ROOT}/test"),
        ({}, f"{ROOT}/{workflow['id']}/test"),
    ):
        report = await tried(user, {"past": {"source": "/shop", "id": event["id"], "entity": "c-7"}, **body}, path)
        assert (report["event"], report["conditions_met"]) == (event, True)


async def test_the_log_goes_before_the_topics(api: Api, user: User, log: Log) -> None:
    """What ran is what is tried: nothing is read from Kafka for it, so that it may be away."""
    event = {**PAST, "id": f"shop-{uuid4().hex}"}
    await log.add(await user.create(), event=event, event_id=event["id"])
    api.event_topics.reachable = False
    try:
        report = await tried(user, {"past": {"source": "/shop", "id": event["id"]}, "workflow": draft()})
        absent = await user.call("POST", f"{ROOT}/test", {"workflow": draft(), "past": {"source": "/shop", "id": "no"}})
    finally:
        api.event_topics.reachable = True
    assert (report["event"], absent.status) == (event, 503)


async def test_events_of_the_topics_are_for_who_may_read_customers(strict_api: Api) -> None:
    """404 for others; and of somebody's run by hand for all but administrators."""
    event = put(strict_api, "order.paid", "t.events.order", source="/shop")
    byhand = put(strict_api, "order.paid", "t.internal-events", source="/headrace/manual", workflowid=str(uuid4()))
    reader, admin = strict_api.user("user", "crm:read"), strict_api.user("admin")
    for who, wanted, status in (
        (strict_api.user(), event, 404), (reader, event, 200), (reader, byhand, 404), (admin, byhand, 200),
    ):  # fmt: skip
        past = {"source": wanted["source"], "id": wanted["id"]}
        answer = await who.call("POST", f"{ROOT}/test", {"workflow": draft(), "past": past})
        assert answer.status == status, answer.json
        assert status == 200 or "paste the event" in answer.json["detail"]


async def test_what_was_not_found_in_the_topics_says_since_when(api: Api, user: User) -> None:
    """Older than a day is looked for where ``since`` says so; what is no event is told with its reason."""
    event = put(api, "order.paid", "t.events.order", at=time.time() - 3 * 86_400)
    past = {"source": event["source"], "id": event["id"]}
    missing = await user.call("POST", f"{ROOT}/test", {"workflow": draft(), "past": past})
    assert (missing.status, "no such event since" in missing.json["detail"]) == (404, True)
    report = await tried(user, {"workflow": draft(), "past": {**past, "since": "2020-01-01T00:00:00Z"}})
    assert report["event"] == event
    odd = put(api, "order.paid", "t.events.order", id=f"odd-{uuid4().hex}", data=[1])
    told = await user.call("POST", f"{ROOT}/test", {"workflow": draft(), "past": {"source": "/shop", "id": odd["id"]}})
    assert (told.status, "cannot be read: invalid_event" in told.json["detail"]) == (404, True), told.json


async def test_the_draft_of_a_stored_workflow_is_tried(user: User) -> None:
    """By the workflow's id; what is live, and any version, are tried beside it."""
    workflow = await user.create(actions=steps(tag("one")), conditions=[])
    path = f"{ROOT}/{workflow['id']}"
    assert (await user.call("POST", f"{path}/activate")).status == 200
    saved = await user.call("PUT", f"{path}/draft", draft(actions=steps(tag("two"), MAIL)), headers={"If-Match": '"0"'})
    assert saved.status == 200, saved.json
    body = {"event": {"data": {"order": {"total": 900, "id": "o-1"}, "customer": ORDER["customer"]}}}
    for version, types in (
        (None, ["apply_tag"]), ("live", ["apply_tag"]), ("draft", ["apply_tag", "send_email"]), ("1", ["apply_tag"]),
    ):  # fmt: skip
        report = await tried(user, {**body, **({"version": version} if version else {})}, f"{path}/test")
        assert [step["type"] for step in report["steps"]] == types
        assert report["steps"][0]["would_send"]["tag"] == ("two" if version == "draft" else "one")
    assert (await user.call("GET", f"{path}/draft")).json["version"] == saved.json["version"]


async def test_a_draft_that_is_wrong_or_not_there_is_told(api: Api, user: User) -> None:
    """Each wrong field under ``workflow``; 404 for no draft, no such version and another's workflow."""
    workflow = await user.create()
    path = f"{ROOT}/{workflow['id']}"
    for version in ("draft", "7"):
        assert (await user.call("POST", f"{path}/test", {"version": version})).status == 404
    wrong = draft(trigger={"type": "nothing"}, conditions=[{"field": "a"}])
    assert (await user.call("PUT", f"{path}/draft", wrong, headers={"If-Match": '"0"'})).status == 200
    answer = await user.call("POST", f"{path}/test", {"version": "draft"})
    assert answer.status == 400
    assert {"workflow.trigger.type", "workflow.conditions[0].operator"} <= {
        one["path"] for one in answer.json["errors"]
    }
    assert (await api.user().call("POST", f"{path}/test", {"version": "draft"})).status == 404
    for odd in ("", "0", "latest", 3, None):
        answer = await user.call("POST", f"{path}/test", {"version": odd})
        assert (answer.status, answer.json["errors"][0]["path"]) == (400, "version")
    answer = await user.call("POST", f"{ROOT}/test", {"workflow": draft(), "version": "draft"})
    assert (answer.status, answer.json["errors"][0]["path"]) == (400, "version")


async def test_whom_each_step_would_reach_is_told(api: Api, user: User) -> None:
    """As rendered, with secrets masked; of a channel its name and service, never more; nothing for the rest."""
    admin, name = api.user("admin"), f"c-{uuid4().hex[:8]}"
    channel = {"name": name, "url": "json://user:hunter2@hooks.example.com/path", "owners": ["*"]}
    assert (await admin.call("POST", "/api/v1/channels", channel)).status == 201
    mail = {"subject": "s", "text": "t", "to": "a@example.com", "cc": ["{{ customer.email }}"]}
    words = {"title": "t", "body": "b"}
    actions = [
        {"type": "send_email", "config": mail},
        {"type": "send_sms", "config": {"to": "+49 30 901820", "text": "t"}},
        {"type": "send_whatsapp", "config": {"to": "+4930901820", "text": "t"}},
        hook("https://hooks.example.com/{{ secrets.SHOP_PATH }}?c={{ customer.id }}"),
        {"type": "send_notification", "config": {**words, "channel": name}},
        {"type": "send_notification", "config": {**words, "user": str(user.id)}},
        tag("x"),
    ]
    grant = {"value": "s3cret-path", "owners": ["*"], "workflows": ["*"], "hosts": ["*"]}
    await admin.call("PUT", "/api/v1/secrets/SHOP_PATH", grant)
    report = await tried(user, {"workflow": draft(actions=steps(*actions), conditions=[]), "sample": True})
    assert [[(one["kind"], one["address"], one["service"]) for one in step["goes_to"]] for step in report["steps"]] == [
        [("email", "a@example.com", None), ("email", "ana@example.com", None)],
        [("phone", "+4930901820", None)],
        [("whatsapp", "+4930901820", None)],
        [("url", "https://hooks.example.com/***?c=c-1001", None)],
        [("channel", name, "JSON")],
        [("inbox", str(user.id), None)],
        [],
    ]
    assert "hunter2" not in str(report)


async def test_a_channel_that_is_not_for_a_workflow_is_not_told_of(api: Api, user: User) -> None:
    """The step fails in the words that it would fail with, as where there is no such channel."""
    admin, name = api.user("admin"), f"c-{uuid4().hex[:8]}"
    channel = {"name": name, "url": "json://hooks.example.com/path", "owners": [str(admin.id)]}
    assert (await admin.call("POST", "/api/v1/channels", channel)).status == 201
    said = set()
    for which in (name, f"{name}-absent"):
        notify = {"type": "send_notification", "config": {"title": "t", "body": "b", "channel": which}}
        report = await tried(user, {"workflow": draft(actions=steps(notify), conditions=[]), "sample": True})
        (step,) = report["steps"]
        assert (step["status"], step["goes_to"], step["would_send"]) == ("failed", [], None)
        said.add(step["error"].replace(which, "…"))
    assert len(said) == 1
