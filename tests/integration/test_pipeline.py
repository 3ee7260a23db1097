"""One event from end to end: through real Kafka and Postgres, by every role as a process."""

from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from app.adapters.kafka.producer import KafkaSender
from app.domain.ids import command_id, execution_id
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record
from tests.integration.site import Site, event
from tests.support.topic_records import read_all
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

BIG = {"field": "order.total", "operator": ">", "value": 100}
PAID = {"field": "order.paid", "operator": "==", "value": True}


def hook(site: Site, path: str) -> dict[str, Any]:
    """A webhook to this test's receiver."""
    body = {"customer": "{{ customer.id }}", "total": "{{ order.total }}"}
    return {"type": "webhook", "config": {"url": f"{site.receiver.url}/{path}", "body": body}}


def tag(name: str) -> dict[str, Any]:
    """A tag on the event's customer."""
    return {"type": "apply_tag", "config": {"tag": name}}


def stop_if(*conditions: dict[str, Any]) -> dict[str, Any]:
    """A way out half-way."""
    return {"type": "stop_workflow", "config": {"reason": "enough for {{ customer.name }}"}, "conditions": conditions}


async def test_an_event_becomes_every_effect_and_one_row_that_tells_of_each(site: Site) -> None:
    """Webhook, e-mail, tag and note happen once; the stop sees the webhook's answer; the log has it all."""
    answered = {"field": "results.0.output.status", "operator": "==", "value": 200}
    mail = {
        "type": "send_email",
        "config": {"subject": "Order of {{ order.total }}", "text": "Dear {{ customer.name }}"},
    }
    note = {"type": "create_note", "config": {"text": "Paid {{ order.total }}"}}
    steps = (hook(site, "all"), mail, tag("paid"), note, stop_if(answered), tag("too-late"))
    workflow, kind = await site.workflow(*steps, conditions=[BIG, PAID])
    sent = event(kind, order={"total": 250.5, "paid": True})
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)

    assert (row["status"], row["conditions_met"], row["attempt"], row["version"]) == ("stopped", True, 1, 2)
    assert (row["event_id"], row["event_type"], row["entity"]) == (sent["id"], kind, sent["subject"])
    assert row["trigger_event"]["data"] == sent["data"]
    assert [(v["path"], v["actual"], v["met"]) for v in row["conditions_result"]] == [
        ("order.total", 250.5, True),
        ("order.paid", True, True),
    ]
    results = row["actions_executed"]
    assert [result["action_type"] for result in results] == [step["type"] for step in steps]
    assert [result["status"] for result in results] == ["success"] * 5 + ["skipped"]
    assert [result["attempts"] for result in results] == [1, 1, 1, 1, 0, 0]
    assert results[4]["output"] == {"reason": "enough for Ada"}
    assert results[5]["error"] == "stopped by step 4"
    await check_effects(site, sent, [command_id(row["id"], 1, step) for step in range(4)])


async def check_effects(site: Site, sent: dict[str, Any], commands: list[UUID]) -> None:
    """Each effect of the first test happened once, under its command's id."""
    customer = sent["subject"]
    (delivery,) = [one for one in site.receiver.deliveries if one.path == "/all"]
    assert (delivery.key, delivery.json()) == (str(commands[0]), {"customer": customer, "total": "250.5"})
    (mail,) = site.mailbox.mails
    assert (mail.recipients, mail.subject) == ((f"{customer}@example.com",), "Order of 250.5")
    assert str(commands[1]) in mail.message_id
    tags = await site.fetch("SELECT tag FROM crm.tags WHERE customer_id = %s", customer)
    notes = await site.fetch("SELECT note_id, text FROM crm.notes WHERE customer_id = %s", customer)
    assert tags == [{"tag": "paid"}]
    assert notes == [{"note_id": commands[3], "text": "Paid 250.5"}]


async def test_messages_go_out_once_and_the_log_names_them(site: Site) -> None:
    """SMS and WhatsApp to the event's customer, and what became of the SMS is there for the step after it."""
    sms = {"type": "send_sms", "config": {"text": "Order of {{ order.total }}"}}
    template = {
        "meta_template": "order_update",
        "language": "en_US",
        "parameters": ["{{ results[0].output.sid }}", "sent"],
    }
    workflow, kind = await site.workflow(sms, {"type": "send_whatsapp", "config": template})
    sent = event(kind, order={"total": 7})
    sent["data"]["customer"]["phone"] = "+49 30 9000 1"
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)
    texted, shown = [one for one in site.providers.sent if one.to == "+493090001"]
    assert [result["output"] for result in row["actions_executed"]] == [
        {"sid": texted.id, "status": "queued"},
        {"message_id": shown.id},
    ]
    assert (texted.text, shown.parameters[0]) == ("Order of 7", ("", texted.id))
    assert shown.tracking == str(command_id(row["id"], 1, 1))


async def test_an_edited_template_is_what_messages_say(site: Site) -> None:
    """A step takes its template's words as they are: soon after the edit a message says the new ones."""
    name = f"t{uuid4().hex[:8]}"
    written = {"name": name, "kind": "sms", "text": "Total {{ order.total }}"}
    template, _ = await site.stack.api.call("POST", "/api/v1/message-templates", written)
    workflow, kind = await site.workflow({"type": "send_sms", "config": {"template": name}})
    phone = f"+4930{uuid4().int % 10**9:09}"

    async def newest() -> str:
        sent = event(kind, order={"total": 7})
        sent["data"]["customer"]["phone"] = phone
        await site.stack.emitter.emit(sent)
        assert (await site.row(workflow, sent))["status"] == "success"
        return [one.text for one in site.providers.sent if one.to == phone][-1]

    async def is_edited() -> bool:
        return await newest() == "In all 7"

    assert await newest() == "Total 7"
    path = f"/api/v1/message-templates/{template['id']}"
    await site.stack.api.call("PATCH", path, {"text": "In all {{ order.total }}"}, If_Match="*")
    await eventually(is_edited, within=5, what="a message with the new words")


async def test_notifications_reach_channels_and_inboxes(site: Site) -> None:
    """A channel that an administrator set up gets title and body; a user finds the other in their inbox, once."""
    name, user, api = f"c{uuid4().hex[:8]}", uuid4(), site.stack.api
    url = f"json://127.0.0.1:{site.receiver.port}/{name}?+Idempotency-Key=apprise"
    await api.call("POST", "/api/v1/channels", {"name": name, "url": url, "owners": ["*"]})
    words = {"title": "Paid {{ order.total }}", "body": "By {{ customer.name }}"}
    workflow, kind = await site.workflow(
        {"type": "send_notification", "config": {"channel": name, **words}},
        {"type": "send_notification", "config": {"user": str(user), **words}},
    )
    sent = event(kind, order={"total": 7})
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)
    notice = str(command_id(row["id"], 1, 1))
    outputs = [result["output"] for result in row["actions_executed"]]
    assert outputs == [{"channel": name}, {"notification_id": notice}]
    (told,) = [one.json() for one in site.receiver.deliveries if one.path.startswith(f"/{name}")]
    assert isinstance(told, dict)
    assert (told["title"], told["message"]) == ("Paid 7", "By Ada")
    (kept,) = await site.fetch("SELECT id::text, title, body FROM notifications WHERE user_id = %s", user)
    assert kept == {"id": notice, "title": "Paid 7", "body": "By Ada"}


async def test_a_stop_whose_conditions_do_not_hold_is_skipped_and_the_rest_runs(site: Site) -> None:
    """The execution goes on after it, and the log says why it did not stop."""
    never = {"field": "results.0.output.applied", "operator": "==", "value": False}
    workflow, kind = await site.workflow(tag("first"), stop_if(never), tag("second"))
    sent = event(kind)
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)
    assert row["status"] == "success"
    assert [result["status"] for result in row["actions_executed"]] == ["success", "skipped", "success"]
    (verdict,) = row["actions_executed"][1]["verdicts"]
    assert (verdict["actual"], verdict["met"]) == (True, False)


async def test_what_is_not_met_leaves_a_skipped_row_with_reasons(site: Site) -> None:
    """No effect; the row names each condition's verdict and why."""
    workflow, kind = await site.workflow(hook(site, "never"), conditions=[BIG, PAID])
    sent = event(kind, order={"total": "many"})
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)
    assert (row["status"], row["conditions_met"], row["attempt"]) == ("skipped", False, 0)
    assert row["actions_executed"] == []
    assert [(v["met"], v["reason"]) for v in row["conditions_result"]] == [
        (False, "a string does not compare with a number"),
        (False, "the field is missing"),
    ]
    assert not [one for one in site.receiver.deliveries if one.path == "/never"]


async def test_the_same_event_twice_is_one_row_and_one_effect(site: Site) -> None:
    """However often an event is produced; a later event of the same customer shows that all copies have passed."""
    workflow, kind = await site.workflow(hook(site, "twice"), tag("twice"))
    sent = event(kind, order={"total": 1})
    later = event(kind, sent["subject"], order={"total": 2})
    await site.stack.emitter.emit_many([sent, sent, sent])
    await site.stack.emitter.emit_many([sent, later])
    await site.row(workflow, later)
    row = await site.row(workflow, sent)
    assert (row["status"], row["attempt"]) == ("success", 1)
    assert [one.json() for one in site.receiver.deliveries if one.path == "/twice"] == [
        {"customer": sent["subject"], "total": "1"},
        {"customer": sent["subject"], "total": "2"},
    ]


async def test_the_api_takes_an_event_and_shows_what_it_came_to(site: Site) -> None:
    """POST /events answers with the id; the execution is found by it, and in full with an explanation."""
    workflow, kind = await site.workflow(tag("by-api"), conditions=[BIG])
    sent = event(kind, order={"total": 101})
    answer, _ = await site.stack.api.call("POST", "/api/v1/events", sent)
    assert answer == {"ids": [sent["id"]]}
    await site.row(workflow, sent)
    page, _ = await site.stack.api.call("GET", f"/api/v1/executions?workflow_id={workflow}&event_id={sent['id']}")
    (summary,) = page["items"]
    assert summary["id"] == str(execution_id(workflow, sent["source"], sent["id"]))
    assert (summary["status"], summary["entity"], summary["event_type"]) == ("success", sent["subject"], kind)
    full, _ = await site.stack.api.call("GET", f"/api/v1/executions/{summary['id']}")
    assert full["event"]["data"] == sent["data"]
    assert full["verdicts"][0]["met"] is True
    assert full["results"][0]["output"] == {"tag": "by-api", "applied": True}
    assert full["explanation"]


async def test_a_deactivated_or_deleted_workflow_does_not_run(site: Site) -> None:
    """The one that still stands, last in the same order, shows that the event has passed both."""
    off, kind = await site.workflow(tag("off"), settle=False)
    gone, _ = await site.workflow(tag("gone"), settle=False, trigger={"type": kind})
    stands, _ = await site.workflow(tag("stands"), trigger={"type": kind}, priority=9)
    before, after = event(kind), event(kind)
    await site.stack.emitter.emit(before)
    assert {(await site.row(each, before))["status"] for each in (off, gone, stands)} == {"success"}
    await site.stack.api.call("POST", f"/api/v1/workflows/{off}/deactivate", If_Match="*")
    await site.stack.api.call("DELETE", f"/api/v1/workflows/{gone}", If_Match="*")
    await site.stack.settled()
    await site.stack.emitter.emit(after)
    await site.row(stands, after)
    assert await site.rows(*(execution_id(each, after["source"], after["id"]) for each in (off, gone))) == []
    tags = await site.fetch("SELECT tag FROM crm.tags WHERE customer_id = %s", after["subject"])
    assert tags == [{"tag": "stands"}]


async def test_a_webhook_that_fails_for_a_while_is_tried_again(site: Site) -> None:
    """503 three times, then 200: four attempts, one key, success."""
    workflow, kind = await site.workflow(hook(site, "recovers"))
    sent = event(kind, order={"total": 1})
    site.receiver.behaviour.first = [503, 503, 503]
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)
    assert row["status"] == "success"
    assert [(r["status"], r["attempts"], r["uncertain"]) for r in row["actions_executed"]] == [("success", 4, False)]
    keys = Counter(one.key for one in site.receiver.deliveries if one.path == "/recovers")
    assert keys == {str(command_id(row["id"], 1, 0)): 4}


@pytest.mark.parametrize(("status", "attempts"), [(400, 1), (503, 4)])
async def test_a_webhook_that_fails_for_good_fails_and_the_rest_runs(site: Site, status: int, attempts: int) -> None:
    """What is final is tried once, what may pass four times; the next step runs, and the row says partial and why."""
    workflow, kind = await site.workflow(hook(site, f"always-{status}"), tag("after"))
    sent = event(kind, order={"total": 1})
    site.receiver.behaviour.first = [status] * attempts
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)
    assert row["status"] == "partial"
    assert [(r["status"], r["attempts"]) for r in row["actions_executed"]] == [("failed", attempts), ("success", 1)]
    assert f"answered {status}" in row["actions_executed"][0]["error"]
    assert row["error_message"].startswith("step 0 (webhook): answered")
    assert site.receiver.behaviour.first == []


@pytest.mark.parametrize(("priority", "lane"), [(1, "high"), (3, "high"), (4, "normal")])
async def test_priorities_1_to_3_take_the_high_lane(site: Site, priority: int, lane: str) -> None:
    """Every step of the execution goes through that lane's topics and no other."""
    workflow, kind = await site.workflow(tag("laned"), stop_if(), priority=priority)
    sent = event(kind)
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)
    assert row["status"] == "stopped"
    for action in ("apply_tag", "stop_workflow"):
        for each in ("high", "normal"):
            records = await read_all(site.stack.bootstrap, site.stack.topics.actions(action, each))
            mine = [record for record in records if record.value and str(row["id"]).encode() in record.value]
            assert len(mine) == (each == lane)


async def test_nothing_was_lost_by_the_way(site: Site) -> None:
    """After all of this: no dead letter, nothing that a stand-in refused, no process that was restarted."""
    assert await site.fetch("SELECT topic, reason, detail FROM dead_letters") == []
    assert not site.receiver.refused
    assert not site.mailbox.refused
    assert await eventually(site.stack.pids) == site.pids


def passing_on(name: str) -> list[dict[str, Any]]:
    """Take a tag off and put it on again, so that it is new and announces itself."""
    return [{"type": "remove_tag", "config": {"tag": name}}, tag(name)]


async def loop(site: Site, *tags: str) -> list[list[str]]:
    """Let workflows set each other off by tags in a ring, once; returns the statuses of each, when all is quiet."""
    ring = list(zip(tags, (*tags[1:], tags[0]), strict=True))
    workflows = [
        (await site.workflow(*passing_on(after), trigger={"type": "tag.applied", "config": {"tag": before}}))[0]
        for before, after in ring
    ]
    first = event("tag.applied", tag=tags[0])
    await site.stack.emitter.emit(first)

    async def blocked() -> bool:
        return bool(
            await site.fetch(
                "SELECT 1 FROM automation_logs WHERE automation_id = ANY(%s) AND status = 'blocked'", workflows
            )
        )

    await eventually(blocked, within=30, what="the loop's end")
    # A run too many, sent beside the blocked row, would end before what goes the same way behind it.
    marker, kind = await site.workflow(*passing_on("marker"))
    last = event(kind, first["subject"])
    await site.stack.emitter.emit(last)
    await site.row(marker, last)
    rows = await site.fetch(
        "SELECT automation_id, status, error_message FROM automation_logs WHERE automation_id = ANY(%s)"
        " ORDER BY executed_at",
        workflows,
    )
    assert "3 times in the chain" in rows[-1]["error_message"]
    return [[row["status"] for row in rows if row["automation_id"] == workflow] for workflow in workflows]


async def test_a_workflow_that_triggers_itself_runs_three_times(site: Site) -> None:
    """By the tag it applies: three runs, then one row that says why there is no fourth (property 25)."""
    assert await loop(site, "self") == [["success", "success", "success", "blocked"]]


async def test_a_ring_of_three_workflows_goes_round_three_times(site: Site) -> None:
    """Each sets the next one off: three rounds, and the first of them is blocked when the fourth would begin."""
    assert await loop(site, "ring-a", "ring-b", "ring-c") == [
        ["success"] * 3 + ["blocked"],
        ["success"] * 3,
        ["success"] * 3,
    ]


async def test_a_delay_is_waited_for_and_the_rest_follows(site: Site) -> None:
    """The step after it runs when the second is over, not before; the log tells one execution."""
    wait = {"type": "delay", "config": {"duration": "{{ seconds }}s"}}
    workflow, kind = await site.workflow(tag("before"), wait, tag("after"))
    sent = event(kind, seconds=1)
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)
    before, delay, after = row["actions_executed"]
    assert (row["status"], [one["status"] for one in (before, delay, after)]) == ("success", ["success"] * 3)
    assert after["executed_at"] >= delay["output"]["until"] >= before["executed_at"]
    assert row["execution_duration_ms"] >= 1000

    async def no_timer() -> bool:
        return await site.fetch("SELECT 1 FROM timers") == []

    # The record is sent before its timer is deleted, so that a death between the two loses nothing.
    await eventually(no_timer, what="its timer to be gone")


async def test_a_waiting_execution_is_cancelled(site: Site) -> None:
    """By its id, through the API: one row, stopped, that says what had been done and what was not."""
    wait = {"type": "delay", "config": {"duration": "1h"}}
    workflow, kind = await site.workflow(tag("before"), wait, tag("after"))
    sent = event(kind)
    await site.stack.emitter.emit(sent)
    identifier = execution_id(workflow, sent["source"], sent["id"])
    path = f"/api/v1/executions/waiting?workflow_id={workflow}"

    async def waits() -> bool:
        page, _ = await site.stack.api.call("GET", path)
        return [one["id"] for one in page["items"]] == [str(identifier)]

    await eventually(waits, within=30, what="the execution to wait")
    answer, _ = await site.stack.api.call("POST", f"/api/v1/executions/{identifier}/cancel")
    assert answer == {"cancelled": 1}
    row = await site.row(workflow, sent)
    assert (row["status"], row["error_message"].startswith("cancelled by ")) == ("stopped", True)
    assert [one["status"] for one in row["actions_executed"]] == ["success", "success", "skipped"]


async def test_nobody_takes_the_place_of_headraces_own_events(site: Site) -> None:
    """Straight on Kafka each claim, and each event of another group, is a dead letter; the run by hand runs."""
    workflow, kind = await site.workflow(tag("own"))
    forged = [
        event(kind) | {"source": "/headrace/manual", "workflowid": str(workflow)},
        event(kind) | {"source": "//HeadRace/scheduler", "id": f"{workflow}/2026-12-01T08:00:00+00:00"},
        event(kind) | {"workflowid": str(workflow)},
        event("temporal.daily"),
        event("order.paid"),
    ]
    topic = site.stack.topics.events(kind)
    async with KafkaSender(KafkaConnection(site.stack.bootstrap), client_id="tests") as sender:
        await sender.send_all([Record(topic, b"c-forged", orjson.dumps(one)) for one in forged])
    customer = f"c-{uuid4().hex[:8]}"
    path = f"/api/v1/workflows/{workflow}/execute"
    started, _ = await site.stack.api.call("POST", path, {"subject": customer, "data": {"customer": {"id": customer}}})
    wanted = UUID(started["execution_id"])
    (row,) = await eventually(lambda: site.rows(wanted), within=30, what="the run by hand")
    assert (row["status"], row["entity"]) == ("success", customer)
    query = "SELECT event_id, reason, topic FROM dead_letters WHERE event_id = ANY(%s)"
    ids = [one["id"] for one in forged]
    letters = await eventually(lambda: _found(site, query, ids), within=30, what="five dead letters")
    assert {letter["topic"] for letter in letters} == {topic}
    assert sorted(letter["reason"] for letter in letters) == ["reserved"] * 4 + ["wrong_topic"]
    assert await site.fetch("SELECT id FROM automation_logs WHERE event_id = ANY(%s)", ids) == []


async def _found(site: Site, query: str, ids: list[str]) -> list[dict[str, Any]]:
    found = await site.fetch(query, ids)
    return found if len(found) == len(ids) else []
