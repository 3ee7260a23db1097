"""Properties 13 to 15, 20 and 30: what actions do, by the real executors, with receipts and CRM on real Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import orjson
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ids import command_id
from app.ports import HttpAnswer
from tests.admin.conftest import Api
from tests.properties.engine import Engine, event
from tests.properties.examples import NAMES, PRICES, PROPERTY, TAGS
from tests.support.providers import LOGIN

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
PHONES = st.from_regex(r"\+[1-9][0-9]{9,13}", fullmatch=True)
EMAILS = TAGS.map(lambda name: f"{name}@example.com")


def hook(path: object) -> dict[str, Any]:
    """A webhook to a path of its own."""
    return {"type": "webhook", "config": {"url": f"https://hooks.example.com/{path}", "body": None}}


def tag(name: str) -> dict[str, Any]:
    """A tag on the event's customer."""
    return {"type": "apply_tag", "config": {"tag": name}}


# Feature: automations-workflows, Property 13: Action Execution Order
@PROPERTY
@given(orders=st.lists(st.integers(0, 1000), min_size=2, max_size=5, unique=True), kinds=st.lists(st.booleans()))
async def test_13_actions_run_in_the_order_of_their_order_field(
    engine: Engine, api: Api, orders: list[int], kinds: list[bool]
) -> None:
    """However they were written: webhooks arrive in that order, and the log has every step in it."""
    outside = (kinds + [True] * len(orders))[: len(orders)]
    actions = [{**(hook(n) if out else tag(f"t{n}")), "order": n} for n, out in zip(orders, outside, strict=True)]
    workflow = await engine.workflow(api.user(), actions=actions)
    engine.forget()
    row = await engine.run(workflow, event(workflow["trigger"]["type"]))
    arrived = [int(request.url.rpartition("/")[2]) for request in engine.http.requests]
    assert arrived == sorted(n for n, out in zip(orders, outside, strict=True) if out)
    by_order = sorted(actions, key=lambda action: int(action["order"]))
    assert [result["action_type"] for result in row["actions_executed"]] == [action["type"] for action in by_order]
    assert [result["step"] for result in row["actions_executed"]] == list(range(len(orders)))
    tagged = [result["output"]["tag"] for result in row["actions_executed"] if result["action_type"] == "apply_tag"]
    assert tagged == [action["config"]["tag"] for action in by_order if action["type"] == "apply_tag"]


# Feature: automations-workflows, Property 14: Action Service Integration
@PROPERTY
@given(address=EMAILS, subject=NAMES, text=NAMES, name=TAGS, starts=MOMENTS, number=PHONES)
async def test_14_each_action_calls_its_service_with_what_it_was_given(  # noqa: PLR0917 - hypothesis passes by name
    engine: Engine, api: Api, address: str, subject: str, text: str, name: str, starts: datetime, number: str
) -> None:
    """E-mail, SMS, WhatsApp, tag, appointment and webhook: once each, with the values of config and event."""
    workflow = await engine.workflow(
        api.user(),
        {"type": "send_email", "config": {"to": [address], "subject": subject, "text": text}},
        tag(name),
        {"type": "create_appointment", "config": {"title": subject, "starts_at": starts.isoformat(), "assignee": name}},
        {"type": "webhook", "config": {"url": f"https://hooks.example.com/{name}", "method": "PUT", "body": [text]}},
        {"type": "send_sms", "config": {"to": number, "text": text}},
        {"type": "send_whatsapp", "config": {"to": number, "text": subject}},
    )
    engine.forget()
    sent = event(workflow["trigger"]["type"])
    row = await engine.run(workflow, sent)
    assert row["status"] == "success", row
    (mail,) = engine.mail.messages
    assert (mail.to, mail.subject, mail.text) == ([address], subject, text)
    request, sms, whatsapp = engine.http.requests
    assert parse_qs((sms.body or b"").decode()) == {"To": [number], "From": [LOGIN.number], "Body": [text]}
    message = orjson.loads(whatsapp.body or b"")
    assert (message["to"], message["text"]["body"]) == (number, subject)
    assert (request.method, request.url) == ("PUT", f"https://hooks.example.com/{name}")
    assert request.headers["Idempotency-Key"] == str(command_id(row["id"], 1, 3))
    tags = await engine.fetch("SELECT tag FROM crm.tags WHERE customer_id = %s", sent["subject"])
    assert [one["tag"] for one in tags] == [name]
    made = await engine.fetch("SELECT * FROM crm.appointments WHERE customer_id = %s", sent["subject"])
    assert [(one["title"], one["starts_at"], one["assignee"]) for one in made] == [(subject, starts, name)]


# Feature: automations-workflows, Property 15: Error Isolation
@PROPERTY
@given(answers=st.lists(st.sampled_from([200, 201, 204, 400, 401, 404, 409, 422]), min_size=1, max_size=5))
async def test_15_one_action_that_fails_does_not_keep_others_from_running(
    engine: Engine, api: Api, answers: list[int]
) -> None:
    """Whichever fail: every action is tried, the error of each that failed is logged, and the status tells."""
    failing = [status >= 400 for status in answers]
    workflow = await engine.workflow(api.user(), *(hook(n) for n in range(len(answers))), tag("last"))
    engine.forget()
    engine.http.answers = [HttpAnswer(status, {}, "") for status in answers]
    sent = event(workflow["trigger"]["type"])
    row = await engine.run(workflow, sent)
    assert [request.url.rpartition("/")[2] for request in engine.http.requests] == [str(n) for n in range(len(failing))]
    *hooks, last = row["actions_executed"]
    assert [result["status"] for result in hooks] == ["failed" if fails else "success" for fails in failing]
    for status, fails, result in zip(answers, failing, hooks, strict=True):
        assert (f"answered {status}" in (result["error"] or "")) == fails
    assert last["status"] == "success"
    assert await engine.fetch("SELECT 1 FROM crm.tags WHERE customer_id = %s", sent["subject"])
    assert row["status"] == ("partial" if any(failing) else "success")
    assert ("answered 4" in (row["error_message"] or "")) == any(failing)


async def test_what_stops_on_its_failure_is_retried_from_there(engine: Engine, api: Api) -> None:
    """Failed at the step that says so, nothing after it sent; the retry begins there and brings it to its end."""
    user = api.user()
    workflow = await engine.workflow(user, hook(0), {**hook(1), "on_error": "stop"}, hook(2))
    engine.forget()
    engine.http.answers = [HttpAnswer(200, {}, ""), HttpAnswer(404, {}, "")]
    sent = event(workflow["trigger"]["type"])
    row = await engine.run(workflow, sent)
    assert (row["status"], "answered 404" in row["error_message"]) == ("failed", True)
    assert [result["status"] for result in row["actions_executed"]] == ["success", "failed", "skipped"]
    answer = await user.call("POST", f"/api/v1/executions/{row['id']}/retry")
    assert (answer.status, answer.json["step"]) == (202, 1)
    await engine.settle()
    (again,) = await engine.rows(workflow, sent)
    assert (again["status"], again["attempt"]) == ("success", 2)
    assert [request.url.rpartition("/")[2] for request in engine.http.requests] == ["0", "1", "1", "2"]


async def test_a_delay_until_nothing_sends_nothing(engine: Engine, api: Api) -> None:
    """The wait cannot be computed: the webhook before it was sent, the one after it is not, by default."""
    wait = {"type": "delay", "config": {"until": "{{ appointment.starts_at }}"}}
    workflow = await engine.workflow(api.user(), hook(0), wait, hook(2))
    engine.forget()
    row = await engine.run(workflow, event(workflow["trigger"]["type"], appointment={"starts_at": None}))
    assert [request.url.rpartition("/")[2] for request in engine.http.requests] == ["0"]
    assert (row["status"], row["error_message"]) == ("failed", "step 1 (delay): until: is empty")


# Feature: automations-workflows, Property 20: CRM Integration Correctness
@PROPERTY
@given(name=TAGS, text=NAMES, title=NAMES, person=NAMES, starts=MOMENTS, minutes=st.integers(1, 500))
async def test_20_actions_on_the_crm_reach_it_with_their_parameters(  # noqa: PLR0917 - hypothesis passes by name
    engine: Engine, api: Api, name: str, text: str, title: str, person: str, starts: datetime, minutes: int
) -> None:
    """Tag, note, appointment, customer, conversation and task: what the CRM then holds, and under which command."""
    ends = starts + timedelta(minutes=minutes)
    times = {"starts_at": starts.isoformat(), "ends_at": ends.isoformat()}
    workflow = await engine.workflow(
        api.user(),
        tag(name),
        {"type": "create_note", "config": {"text": text}},
        {"type": "create_appointment", "config": {"title": title, "assignee": person, **times}},
        {"type": "update_customer", "config": {"set": {"plan": text, "level": minutes}}},
        {"type": "assign_conversation", "config": {"assignee": person}},
        {"type": "create_task", "config": {"title": title, "description": text, "due": times["ends_at"]}},
        {"type": "remove_tag", "config": {"tag": name}},
    )
    sent = event(workflow["trigger"]["type"])
    customer = sent["subject"]
    sent["data"]["conversation"] = {"id": f"v-{customer}"}
    row = await engine.run(workflow, sent)
    assert [result["status"] for result in row["actions_executed"]] == ["success"] * 7, row
    ids = [command_id(row["id"], 1, step) for step in range(7)]

    async def crm(table: str, *columns: str) -> list[tuple[Any, ...]]:
        rows = await engine.fetch("SELECT * FROM crm." + table + " WHERE customer_id = %s", customer)  # noqa: S608 - named below
        return [tuple(row[column] for column in columns) for row in rows]

    assert row["actions_executed"][0]["output"] == {"tag": name, "applied": True}
    assert await crm("notes", "note_id", "text") == [(ids[1], text)]
    assert await crm("appointments", "appointment_id", "title", "starts_at", "ends_at", "assignee") == [
        (ids[2], title, starts, ends, person)
    ]
    assert await crm("customers", "profile") == [({"plan": text, "level": minutes},)]
    assert await crm("conversations", "conversation_id", "assignee") == [(f"v-{customer}", person)]
    assert await crm("tasks", "task_id", "title", "description", "due_at") == [(ids[5], title, text, ends)]
    assert await crm("tags", "tag") == []


# Feature: automations-workflows, Property 30: Template Variable Replacement
@PROPERTY
@given(name=NAMES, price=PRICES, address=EMAILS, words=st.lists(NAMES, min_size=1, max_size=3))
async def test_30_variables_in_a_notification_are_replaced_by_the_events_data(  # noqa: PLR0917 - hypothesis passes by name
    engine: Engine, api: Api, name: str, price: str, address: str, words: list[str]
) -> None:
    """All of them, nested and repeated ones too, in subject, text and addresses; HTML is escaped, nothing is left."""
    items = "".join(f"{{{{ items.{n} }}}};" for n in range(len(words)))
    workflow = await engine.workflow(
        api.user(),
        {
            "type": "send_email",
            "config": {
                "subject": "{{ customer.name }}: {{order.total}}",
                "reply_to": "{{ shop }}",
                "text": f"{items}{{{{ customer.name }}}} {{{{ event.id }}}}",
                "html": "<p>{{ customer.name }}</p>",
            },
        },
        {"type": "send_sms", "config": {"text": "{{ customer.name }}, {{ order.total }}"}},
        {"type": "send_whatsapp", "config": {"text": "{{ items[0] }} of {{ customer.name }}"}},
    )
    engine.forget()
    customer = {"id": address, "email": address, "name": name, "phone": "+493090001"}
    sent = event(workflow["trigger"]["type"], customer=customer, order={"total": price}, items=words, shop=address)
    row = await engine.run(workflow, sent)
    assert row["status"] == "success", row
    (mail,) = engine.mail.messages
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")
    assert (mail.to, mail.reply_to) == ([address], address)
    assert mail.subject == f"{name}: {price}"
    assert mail.text == "".join(f"{word};" for word in words) + f"{name} {sent['id']}"
    assert mail.html == f"<p>{escaped}</p>"
    sms, whatsapp = engine.http.requests
    assert parse_qs((sms.body or b"").decode())["Body"] == [f"{name}, {price}"]
    assert orjson.loads(whatsapp.body or b"")["text"]["body"] == f"{words[0]} of {name}"
