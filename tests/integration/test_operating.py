"""Operating a running installation: runs by hand, retries from the failed step, replays of dead letters, the queue."""

import asyncio
import json
import os
import sys
from base64 import b64encode
from collections import Counter
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.adapters.kafka.producer import KafkaSender
from app.admin.auth import mint_token
from app.domain.ids import execution_id
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record
from tests.integration.site import Row, Site, event
from tests.integration.traces import traces
from tests.support.raw_http import raw_server
from tests.support.stack import ROLES
from tests.support.triggers import trigger_at_once
from tests.support.waiting import eventually, finished

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


def hook(site: Site, path: str) -> dict[str, Any]:
    """A webhook to this test's receiver."""
    return {"type": "webhook", "config": {"url": f"{site.receiver.url}/{path}", "body": {}}}


def arrived(site: Site, path: str) -> list[str]:
    """Keys of what arrived at a path."""
    return [one.key for one in site.receiver.deliveries if one.path == f"/{path}"]


async def at_attempt(site: Site, execution: UUID, attempt: int) -> list[Row]:
    """The log's row of an execution once it tells of an attempt."""
    return [row for row in await site.rows(execution) if row["attempt"] == attempt]


async def test_a_failed_execution_is_retried_from_the_failed_step(site: Site) -> None:
    """What had succeeded is not done again, what failed is, what follows runs; the log has one row, attempt 2."""
    steps = (hook(site, "before"), hook(site, "broken"), hook(site, "after"))
    workflow, kind = await site.workflow(*steps)
    site.receiver.behaviour.first = [200, 400, 200]
    sent = event(kind)
    await site.stack.emitter.emit(sent)
    row = await site.row(workflow, sent)
    assert [result["status"] for result in row["actions_executed"]] == ["success", "failed", "success"]

    retried, _ = await site.stack.api.call("POST", f"/api/v1/executions/{row['id']}/retry")
    assert (retried["attempt"], retried["step"]) == (2, 1)
    (second,) = await eventually(partial(at_attempt, site, row["id"], 2), within=30.0, what="attempt 2 in the log")
    assert (second["status"], second["executed_at"]) == ("success", row["executed_at"])
    assert [len(arrived(site, path)) for path in ("before", "broken", "after")] == [1, 2, 1]
    assert second["actions_executed"][0] == row["actions_executed"][0]
    assert len(await site.rows(row["id"])) == 1


async def test_a_workflow_runs_by_hand(site: Site) -> None:
    """The answered id is the execution's, the data reaches its actions, and no other workflow of the type runs."""
    note = {"type": "create_note", "config": {"text": "by {{ customer.id }}"}}
    workflow, kind = await site.workflow(note, settle=False)
    other, _ = await site.workflow(note, trigger={"type": kind})
    path = f"/api/v1/workflows/{workflow}/execute"
    started, _ = await site.stack.api.call("POST", path, {"data": {"customer": {"id": "hand"}}})
    (row,) = await eventually(
        partial(at_attempt, site, UUID(started["execution_id"]), 1), within=30.0, what="the run in the log"
    )
    assert (row["automation_id"], row["event_id"], row["status"]) == (workflow, started["event_id"], "success")
    # The matcher plans an event for all of its workflows in one go; what it planned last is behind this one's row.
    after = event(kind, "hand")
    await site.stack.emitter.emit(after)
    await site.row(other, after)
    assert await site.fetch("SELECT id FROM automation_logs WHERE event_id = %s", started["event_id"]) == [
        {"id": row["id"]}
    ]


async def test_a_dead_letter_is_replayed(site: Site) -> None:
    """A record that nobody could read goes to the dead letters; replayed, it comes back as another one."""
    key = uuid4().hex
    async with KafkaSender(KafkaConnection(site.stack.bootstrap), client_id="tests") as sender:
        await sender.send(Record(site.stack.topics.events("order.paid"), key.encode(), b"{no json"))
    (letter,) = await eventually(partial(letters, site, key), within=30.0, what="the dead letter")
    await site.stack.api.call("POST", f"/api/v1/dead-letters/{letter['id']}/replay")
    both = await eventually(partial(letters, site, key, at_least=2), within=30.0, what="the dead letter's return")
    assert [one["value"] for one in both] == [b"{no json"] * 2
    assert both[0]["offset"] < both[1]["offset"]
    assert [one["replayed_at"] is None for one in both] == [False, True]


async def letters(site: Site, key: str, at_least: int = 1) -> list[Row]:
    """Dead letters of a key, once there are so many."""
    found = await site.fetch("SELECT * FROM dead_letters WHERE key = %s ORDER BY id", key.encode())
    return found if len(found) >= at_least else []


async def test_a_business_played_through_the_api_starts_workflows(site: Site) -> None:
    """An order that is paid tags its customer, and is not reminded of; the one that is not paid is."""
    call, customer = site.stack.api.call, f"c-{uuid4().hex[:8]}"
    of_customer = [{"field": "customer.id", "operator": "==", "value": customer}]
    unpaid = [{"field": "current.order.status", "operator": "==", "value": "created"}]
    remind = {"type": "create_note", "config": {"text": "Pay, {{ current.customer.name }}"}, "conditions": unpaid}
    wait = {"type": "delay", "config": {"duration": "1s"}}
    tag = {"type": "apply_tag", "config": {"tag": "paid {{ order.total }}"}}
    reminding, _ = await site.workflow(
        wait, remind, trigger={"type": "order.created"}, conditions=of_customer, settle=False
    )
    tagging, _ = await site.workflow(tag, trigger={"type": "order.paid"}, conditions=of_customer)
    await call("POST", "/api/v1/crm/customers", {"id": customer, "name": "Ada"})
    for order in ("a", "b"):
        await call(
            "POST", "/api/v1/sales/orders", {"id": f"{customer}-{order}", "customer_id": customer, "total": "9.90"}
        )
    await call("POST", f"/api/v1/sales/orders/{customer}-a/pay")
    reminders = await eventually(partial(runs, site, reminding, 2), within=30.0, what="both reminders in the log")
    await eventually(partial(runs, site, tagging, 1), within=30.0, what="the tag in the log")
    outcomes = {row["trigger_event"]["data"]["order"]["id"]: row["actions_executed"][1] for row in reminders}
    assert {order: result["status"] for order, result in outcomes.items()} == {
        f"{customer}-a": "skipped",
        f"{customer}-b": "success",
    }
    shown, _ = await call("GET", f"/api/v1/crm/customers/{customer}")
    assert shown == {"id": customer, "name": "Ada", "tags": ["paid 9.90"]}
    notes, _ = await call("GET", f"/api/v1/crm/customers/{customer}/notes")
    assert [note["text"] for note in notes["items"]] == ["Pay, Ada"]


async def runs(site: Site, workflow: UUID, count: int) -> list[Row]:
    """The log's rows of a workflow, once there are so many."""
    found = await site.fetch("SELECT * FROM automation_logs WHERE automation_id = %s", workflow)
    return found if len(found) >= count else []


async def test_a_secret_reaches_its_destinations_and_nothing_else(site: Site) -> None:
    """In URL, header, body and e-mail; no row, no record and no log line has it, though each destination echoes it."""
    canary, signing = f"canary-{uuid4().hex}", f"whsec_{b64encode(uuid4().bytes * 2).decode()}"
    for name, value in (("TOKEN", canary), ("HOOK_KEY", signing), ("GONE", "not for long")):
        await site.stack.api.call("PUT", f"/api/v1/secrets/{name}", {"value": value, "owners": ["*"], "hosts": ["*"]})
    async with raw_server() as echo, raw_server() as refuses:
        echo.answer = http_answer("200 OK", f'{{"echo": {{"{canary}": "{canary}"}}}}')
        refuses.answer = http_answer("400 Bad Request", f"wrong token {canary}")
        workflow, kind = await site.workflow(
            secret_hook(echo.url, sign_with="HOOK_KEY"),
            secret_hook(refuses.url),
            {"type": "send_email", "config": {"subject": "{{ secrets.TOKEN }}", "text": "{{ secrets.TOKEN }}"}},
            {"type": "webhook", "config": {"url": f"{echo.url}/{{{{ secrets.GONE }}}}"}},
            {"type": "create_note", "config": {"text": "{{ results | json }}"}},
        )
        await site.stack.api.call("DELETE", "/api/v1/secrets/GONE")
        sent = event(kind)
        await site.stack.emitter.emit(sent)
        row = await site.row(workflow, sent)
    results = row["actions_executed"]
    assert [result["status"] for result in results] == ["success", "failed", "success", "failed", "success"]
    assert results[0]["output"]["body"] == {"echo": {"***": "***"}}
    assert results[1]["error"] == "answered 400: wrong token *** (trying again cannot help)"
    assert results[3]["error"].startswith("secrets.GONE: there is no secret GONE")
    assert echo.requests[0].decode().count(canary) == 3
    assert b"webhook-signature: v1," in echo.requests[0]
    assert [mail.subject for mail in site.mailbox.mails] == [canary]
    assert await traces(site, canary) == []
    assert await traces(site, signing) == []
    assert await traces(site, sent["id"]) != []


def secret_hook(url: str, **more: Any) -> dict[str, Any]:
    """A webhook with a secret everywhere."""
    config = {
        "url": f"{url}/{{{{ secrets.TOKEN }}}}",
        "headers": {"Authorization": "Bearer {{ secrets.TOKEN }}"},
        "body": {"token": "{{ secrets.TOKEN }}"},
    }
    return {"type": "webhook", "config": {**config, **more}}


def http_answer(status: str, body: str) -> bytes:
    """An answer of JSON, byte for byte."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


async def test_the_queue_is_empty_when_all_is_done(site: Site) -> None:
    """Every role is asked after by its own group, and none is behind once the log has its row."""
    workflow, kind = await site.workflow({"type": "stop_workflow", "config": {}})
    sent = event(kind)
    await site.stack.emitter.emit(sent)
    await site.row(workflow, sent)
    (status,) = await eventually(partial(idle, site), within=30.0, what="an empty queue")
    assert {role["role"] for role in status["roles"]} >= {"matcher", "executor-crm", "executor-system", "sink"}


async def idle(site: Site) -> list[dict[str, Any]]:
    """The status, once nothing waits."""
    status, _ = await site.stack.api.call("GET", "/api/v1/queue")
    return [status] if status["depth"] == 0 else []


async def test_every_process_has_a_heartbeat(site: Site) -> None:
    """Written by its own database user, with its own pid."""

    async def beating() -> bool:
        rows = await site.fetch("SELECT role || '-' || instance AS name, pid FROM heartbeats WHERE stopped_at IS NULL")
        return {row["name"]: row["pid"] for row in rows} == site.stack.pids()

    await eventually(beating, within=30.0, what="heartbeats of all processes")


async def test_status_and_check_find_a_running_installation_well(site: Site) -> None:
    """Every process is ready, by its role, with nothing left to do; all that a start asks for is there."""

    async def said(*words: str) -> tuple[int, Any]:
        command = [sys.executable, "-m", "app.cli", *words, "--json"]
        environment = {**os.environ, "HEADRACE_HOME": str(site.stack.home), **site.stack.environment}
        done = await asyncio.to_thread(finished, command, within=60, env=environment)
        return done.returncode, json.loads(done.stdout)

    async def ready() -> dict[str, int | None]:
        code, found = await said("status")
        assert {one["role"] for one in found["processes"]} == set(ROLES)
        return {one["role"]: one["lag"] for one in found["processes"]} if code == 0 else {}

    lag = await eventually(ready, within=60.0, every=1.0, what="every process to be ready")
    assert {role for role, behind in lag.items() if behind is None} == {"scheduler", "admin"}
    code, found = await said("check")
    assert (code, [one for one in found["findings"] if one["state"] == "problem"]) == (0, [])


async def test_a_thousand_triggers_at_once_are_all_accepted_executed_and_logged(site: Site) -> None:
    """Each in a request of its own, over as many connections as the API takes; ``make triggers`` does it ten times."""
    workflow, kind = await site.workflow({"type": "apply_tag", "config": {"tag": "triggered"}})
    events = [event(kind) for _ in range(1000)]
    token = mint_token(site.stack.settings, uuid4(), "user", 600, ["events:write"])
    assert await trigger_at_once(site.stack.api.base_url, token, events) == {202: 1000}
    ids = [execution_id(workflow, one["source"], one["id"]) for one in events]

    async def whole() -> list[Row]:
        rows = await site.rows(*ids)
        return rows if len(rows) == len(ids) else []

    rows = await eventually(whole, within=60.0, every=0.2, what="every row")
    assert Counter(row["status"] for row in rows) == {"success": 1000}
    tags = await site.fetch("SELECT count(*) FROM crm.tags WHERE tag = 'triggered'")
    assert tags == [{"count": 1000}]
