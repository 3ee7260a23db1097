"""Running a workflow by hand, and trying one without any effect."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
from psycopg import sql

from app.domain.callers import Caller
from app.domain.ids import execution_id
from app.domain.wall import MESSAGE
from app.services.workflows.manual_runs import SOURCE, ManualRuns
from app.topics import Topics
from schemas.event import Event
from schemas.workflow import Trigger, Workflow
from tests.admin.conftest import Answer, Api, User, draft
from tests.support.memory_notes import MemoryNotes
from tests.support.sender import MemorySender

ROOT = "/api/v1/workflows"
ORDER = {"order": {"total": 900}, "customer": {"id": "c-1", "name": "Ada", "email": "ada@example.com"}}
HOOK = {
    "type": "webhook",
    "config": {"url": "https://example.com/{{ customer.id }}", "body": {"total": "{{ order.total }}"}},
}


def steps(*actions: dict[str, Any]) -> list[dict[str, Any]]:
    """Actions in the given order."""
    return [{"order": order, **action} for order, action in enumerate(actions, 1)]


def tag(name: str, **more: Any) -> dict[str, Any]:
    """An action that tags the event's customer."""
    return {"type": "apply_tag", "config": {"tag": name}, **more}


class Shelf:
    """Holds one workflow."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow

    async def get(self, caller: Caller, workflow_id: UUID) -> Workflow:
        """Return it."""
        del caller, workflow_id
        return self._workflow


async def test_an_active_workflow_runs_by_an_event_of_its_own(api: Api, user: User) -> None:
    """202 with the execution's id; the event has the trigger's type, names the workflow, and holds the data."""
    workflow = await user.create()
    await user.call("POST", f"{ROOT}/{workflow['id']}/activate")
    answer = await user.call("POST", f"{ROOT}/{workflow['id']}/execute", {"data": ORDER, "subject": "c-9"})
    assert answer.status == 202, answer.json
    (record,) = api.sender.records
    event = orjson.loads(record.value or b"")
    Event.model_validate(event)
    assert (record.topic, record.key) == ("t.internal-events", b"c-9")
    assert [event[name] for name in ("type", "source", "workflowid", "data", "subject")] == [
        "order.paid", SOURCE, workflow["id"], ORDER, "c-9",
    ]  # fmt: skip
    assert answer.json == {
        "execution_id": str(execution_id(UUID(workflow["id"]), SOURCE, event["id"])),
        "event_id": event["id"],
        "event_type": "order.paid",
    }


async def test_each_run_is_an_execution_of_its_own(user: User) -> None:
    """The same request twice runs twice: an event id is minted for each."""
    workflow = await user.create()
    await user.call("POST", f"{ROOT}/{workflow['id']}/activate")
    path = f"{ROOT}/{workflow['id']}/execute"
    ids = {(await user.call("POST", path, {"data": ORDER})).json["execution_id"] for _ in range(2)}
    assert len(ids) == 2


async def test_an_inactive_workflow_does_not_run(api: Api, user: User) -> None:
    """409, says to activate it, and nothing is emitted."""
    workflow = await user.create()
    answer = await user.call("POST", f"{ROOT}/{workflow['id']}/execute", {})
    assert (answer.status, api.sender.records) == (409, [])
    assert "activate it" in answer.json["detail"]


async def test_nobody_runs_anothers_workflow(api: Api, user: User) -> None:
    """Neither in earnest nor as a dry run; it is not there."""
    workflow = await user.create()
    await user.call("POST", f"{ROOT}/{workflow['id']}/activate")
    for way in ("execute", "test"):
        assert (await api.user().call("POST", f"{ROOT}/{workflow['id']}/{way}", {})).status == 404


@pytest.mark.parametrize(
    ("body", "path"), [({"data": []}, "data"), ({"subject": ""}, "subject"), ({"when": 1}, "when"), ([], "")]
)
async def test_a_wrong_request_to_run_is_named(user: User, body: Any, path: str) -> None:
    """400 with the path of what is wrong."""
    workflow = await user.create()
    answer = await user.call("POST", f"{ROOT}/{workflow['id']}/execute", body)
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [path])


@pytest.mark.parametrize(("age", "waits"), [(0.25, [0.75]), (0.0, [1.0]), (1.0, []), (60.0, [])])
async def test_a_run_waits_until_a_change_has_taken_effect(age: float, waits: list[float]) -> None:
    """What was activated a moment ago runs once every matcher knows it, not before: the event would be lost."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    workflow = Workflow(
        id=uuid4(), name="w", description="", active=True, priority=5, reentry="always",
        trigger=Trigger(type="order.paid"), conditions=[], actions=[], version=2, created_by=uuid4(), created_at=now,
        updated_at=now - timedelta(seconds=age),
    )  # fmt: skip
    sender = MemorySender()
    runs = ManualRuns(Shelf(workflow), sender, Topics("t."), MemoryNotes(), now=lambda: now, sleep=sleep)
    await runs.start(Caller(uuid4(), "user"), workflow.id, {}, None)
    assert (waited, len(sender.records)) == (waits, 1)


async def tried(user: User, actions: list[dict[str, Any]], body: dict[str, Any] | None = None, **more: Any) -> Any:
    """The report of a draft's dry run on a big order."""
    request = {"workflow": draft(actions=actions, **more), "event": {"data": ORDER}, **(body or {})}
    answer = await user.call("POST", f"{ROOT}/test", request)
    assert answer.status == 200, answer.json
    return answer.json


async def test_a_dry_run_says_what_would_be_sent(user: User) -> None:
    """Verdicts, and each request rendered as it would go out."""
    report = await tried(user, steps(HOOK, tag("vip")))
    assert (report["matched"], report["conditions_met"], report["status"]) == (True, True, "success")
    assert report["verdicts"][0]["actual"] == 900
    hook, tagged = report["steps"]
    assert (hook["would_send"]["http"]["url"], hook["would_send"]["http"]["body"]) == (
        "https://example.com/c-1",
        '{"total":"900"}',
    )
    assert (tagged["runs"], tagged["would_send"]["tag"]) == (True, "vip")


async def test_a_dry_run_says_what_would_be_asked_about_the_reentry(user: User) -> None:
    """By which field, with which value, how often; nobody is asked, so that it may be tried again."""
    by_entity = await tried(user, steps(tag("vip")), reentry="once")
    assert by_entity["entry"] == {"key": "", "value": "c-1", "how_often": "only once", "error": None}
    hourly = {"once_per": "1 hour", "key": "order.total"}
    for _ in range(2):
        report = await tried(user, steps(tag("vip")), reentry=hourly)
        assert (report["status"], report["entry"]["key"]) == ("success", "order.total")
        assert (report["entry"]["value"], report["entry"]["how_often"]) == ("900", "once per 1 hour")
    assert (await tried(user, steps(tag("vip"))))["entry"] is None


async def test_a_dry_run_of_an_event_without_the_key_is_skipped(user: User) -> None:
    """As it would be in earnest, with the same reason; what each step would send shows all the same."""
    report = await tried(user, steps(tag("vip")), reentry={"once": True, "key": "cart.id"})
    why = "cart.id is missing, and the workflow may be entered only once for each value of it"
    assert (report["status"], report["entry"]["value"], report["entry"]["error"]) == ("skipped", None, why)
    assert report["explanation"].endswith(f": {why}.")
    (step,) = report["steps"]
    assert (step["runs"], step["status"], step["would_send"]["tag"]) == (False, "skipped", "vip")


async def test_a_dry_run_shows_no_secret(admin: User, user: User) -> None:
    """*** stands where a secret would; whether there is such a secret makes no difference."""
    await admin.call("PUT", "/api/v1/secrets/DRY", {"value": "canary-of-dry-runs", "owners": ["*"], "hosts": ["*"]})
    headers = {"Authorization": "Bearer {{ secrets.DRY }}", "X-B": "{{ secrets.NEVER_STORED }}"}
    hook = {"type": "webhook", "config": {"url": "{{ secrets.DRY }}", "headers": headers, "sign_with": "DRY"}}
    mail = {"type": "send_email", "config": {"subject": "{{ secrets.DRY }}", "html": "<p>{{ secrets.DRY }}</p>"}}
    report = await tried(user, steps(hook, mail))
    assert [step["status"] for step in report["steps"]] == ["success", "success"]
    sent = report["steps"][0]["would_send"]["http"]
    assert (sent["url"], sent["headers"]["Authorization"], sent["headers"]["X-B"]) == ("***", "Bearer ***", "***")
    assert report["steps"][1]["would_send"]["subject"] == "***"
    assert "canary" not in str(report)


async def test_a_dry_run_has_no_effect(api: Api, user: User, api_database: str) -> None:
    """Property 29: no table has a row more, no record is sent."""
    workflow = await user.create(actions=steps(HOOK, tag("vip"), {"type": "create_note", "config": {"text": "x"}}))
    before = await counts(api_database)
    for path, body in ((f"{ROOT}/{workflow['id']}/test", {}), (f"{ROOT}/test", {"workflow": draft()})):
        assert (await user.call("POST", path, {**body, "event": {"data": ORDER}})).status == 200
    assert (await counts(api_database), api.sender.records) == (before, [])


async def counts(url: str) -> dict[str, int]:
    """Rows of every table."""
    names = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'crm', 'auth')"
    found: dict[str, int] = {}
    async with await psycopg.AsyncConnection.connect(url) as connection:
        for table in await (await connection.execute(names)).fetchall():
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table))
            found[".".join(table)] = (await (await connection.execute(count)).fetchall())[0][0]
    return found


async def test_a_dry_run_whose_conditions_do_not_hold_still_renders(user: User) -> None:
    """It would be skipped, says why, and shows the requests all the same, mistakes in them too."""
    nobody = [{"field": "order.total", "operator": ">", "value": 1000}]
    missing = {"type": "create_note", "config": {"text": "{{ order.nonsense }}"}}
    report = await tried(user, steps(tag("vip"), missing), conditions=nobody)
    assert (report["conditions_met"], report["status"]) == (False, "skipped")
    assert "order.total is 900, not more than 1,000" in report["explanation"]
    first, second = report["steps"]
    assert (first["runs"], first["status"], first["would_send"]["tag"]) == (False, "skipped", "vip")
    assert (second["would_send"], "order.nonsense" in second["error"]) == (None, True)


async def test_a_dry_run_of_another_type_does_not_match(user: User) -> None:
    """An event that the trigger does not wait for starts nothing."""
    report = await tried(user, steps(tag("vip")), {"event": {"type": "order.created", "data": ORDER}})
    assert (report["matched"], report["status"], report["steps"][0]["runs"]) == (False, None, False)
    assert "none that its trigger asks for" in report["explanation"]


async def test_an_actions_conditions_see_simulated_results(user: User) -> None:
    """What a step is taken to come to decides about the next; without, it has succeeded with nothing to tell."""
    failed = [{"field": "results.0.status", "operator": "==", "value": "failed"}]
    actions = steps(HOOK, tag("unreachable", conditions=failed))
    usual = await tried(user, actions)
    assert [step["status"] for step in usual["steps"]] == ["success", "skipped"]
    assert usual["steps"][1]["would_send"]["tag"] == "unreachable"
    simulated = await tried(user, actions, {"results": {"0": {"status": "failed", "error": "no answer"}}})
    assert [(step["status"], step["runs"]) for step in simulated["steps"]] == [("failed", True), ("success", True)]
    assert simulated["status"] == "partial"


async def test_a_dry_run_ends_where_the_workflow_is_stopped(user: User) -> None:
    """What comes after stop_workflow would not run."""
    report = await tried(user, steps({"type": "stop_workflow", "config": {"reason": "enough"}}, tag("late")))
    assert (report["status"], [step["runs"] for step in report["steps"]]) == ("stopped", [True, False])


async def test_a_dry_run_ends_where_a_step_fails_that_stops(user: User) -> None:
    """The delay cannot be computed: failed there, and what comes after it would not run, and says why."""
    wait = {"type": "delay", "config": {"until": "{{ order.nothing }}"}}
    report = await tried(user, steps(tag("early"), wait, tag("late")))
    assert (report["status"], [step["runs"] for step in report["steps"]]) == ("failed", [True, True, False])
    assert report["steps"][2]["error"] == "not run, because step 1 failed and its on_error is stop"
    assert "step 1 (delay) failed: until: " in report["explanation"]
    going_on = await tried(user, steps(tag("early"), {**wait, "on_error": "continue"}, tag("late")))
    assert (going_on["status"], going_on["steps"][2]["runs"]) == ("partial", True)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"workflow": draft(actions=steps({**HOOK, "on_error": "halt"})), "event": {}}, "workflow.actions[0].on_error"),
        ({"workflow": draft(name=""), "event": {}}, "workflow.name"),
        ({"workflow": draft(), "event": {"type": "nonsense"}}, "event.type"),
        ({"workflow": draft(), "event": {"workflowId": "x"}}, "event.workflowId"),
        ({"workflow": draft(), "results": {"0": {"status": "maybe"}}}, "results.0.status"),
        ({"workflow": draft(), "sample": {}}, "sample"),
    ],
)
async def test_a_wrong_request_to_try_is_named(user: User, body: dict[str, Any], path: str) -> None:
    """400 with the path of what is wrong."""
    answer: Answer = await user.call("POST", f"{ROOT}/test", body)
    assert (answer.status, answer.json["errors"][0]["path"]) == (400, path), answer.json


UNPAID = [{"field": "current.order.status", "operator": "==", "value": "created"}]


async def test_a_dry_run_looks_up_what_is_current(user: User, api_database: str) -> None:
    """The customer and the order as they are now, read and told; what the request gives counts instead."""
    async with await psycopg.AsyncConnection.connect(api_database, autocommit=True) as connection:
        insert = "INSERT INTO crm.customers (customer_id, profile) VALUES (%s, %s)"
        customer = f"c-{uuid4()}"
        await connection.execute(insert, (customer, '{"name": "Ada now"}'))
    reminder = {"type": "create_note", "config": {"text": "Remind {{ current.customer.name }}"}, "conditions": UNPAID}
    request = {
        "workflow": draft(actions=steps(reminder)),
        "event": {"data": {"order": {"total": 900}, "customer": {"id": customer}}},
    }
    missing = (await user.call("POST", f"{ROOT}/test", request)).json
    assert missing["current"] == {"customer": {"id": customer, "name": "Ada now", "tags": []}}
    assert (missing["steps"][0]["status"], missing["steps"][0]["runs"]) == ("skipped", False)
    given = (await user.call("POST", f"{ROOT}/test", {**request, "current": {"order": {"status": "created"}}})).json
    assert given["steps"][0]["would_send"]["text"] == "Remind Ada now"
    assert (given["status"], given["current"]["order"]) == ("success", {"status": "created"})


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"conditions": UNPAID}, "conditions[0].field", "in an action's own conditions only"),
        ({"conditions": [{"not": UNPAID}]}, "conditions[0].not[0].field", "in an action's own conditions only"),
        (
            {"trigger": {"type": "temporal.daily", "config": {"at": "09:00", "audience": UNPAID}}},
            "trigger.config.audience",
            "in an action's own conditions only",
        ),
        (
            {"actions": steps(tag("a", conditions=[{"field": "current.total", "operator": "==", "value": 1}]))},
            "actions[0].conditions[0].field",
            "current.customer or current.order",
        ),
    ],
)
async def test_current_is_refused_where_nobody_looks_it_up(
    user: User, changes: dict[str, Any], path: str, says: str
) -> None:
    """Workflow conditions and audiences do without I/O; in an action's conditions there are two members."""
    answer = await user.call("POST", ROOT, draft(**changes))
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [path])
    assert says in answer.json["errors"][0]["message"]


HEAVY = "{% for i in range(9999) %}{% if nowhere.a.b.c is defined %}{% endif %}{% endfor %}"


@pytest.mark.parametrize(
    ("method", "path", "inside"), [("POST", ROOT, False), ("POST", f"{ROOT}/test", True)], ids=["save", "test"]
)
async def test_a_compile_at_the_wall_is_a_400_that_names_its_field(
    user: User, method: str, path: str, *, inside: bool
) -> None:
    """Fifty templates that take some 20 ms each to compile: the field at which the wall was reached, and no other."""
    tree = "{% if a %}" * 15 + "{{ a.b.c.d|upper }}" * 150 + "{% endif %}" * 15
    bodies = [f"{tree}{number}" for number in range(40)]
    written = draft(actions=steps({"type": "webhook", "config": {"url": "https://example.com/", "body": bodies}}))
    answer = await user.call(method, path, {"workflow": written, "event": {"data": ORDER}} if inside else written)
    (error,) = answer.json["errors"]
    field = error["path"].removeprefix("workflow.")
    assert (answer.status, field[:23], error["message"]) == (400, "actions[0].config.body[", MESSAGE)


async def test_a_callers_templates_have_five_seconds_of_cpu_a_minute(api: Api) -> None:
    """Forty steps that each come to the wall: 429 with Retry-After, and meanwhile others have turns."""
    bad, good = api.user(), api.user()
    hooks = [{"type": "webhook", "config": {"url": "https://example.com/", "body": [HEAVY] * 100}} for _ in range(40)]
    wanted = {"workflow": draft(actions=steps(*hooks)), "event": {"data": ORDER}}
    done: list[str] = []

    async def attack() -> Answer:
        answer = await bad.call("POST", f"{ROOT}/test", wanted)
        done.append("attack")
        return answer

    async def others() -> list[int]:
        statuses = [(await good.call("GET", ROOT)).status for _ in range(3)]
        done.append("others")
        return statuses

    refused, statuses = await asyncio.gather(attack(), others())
    assert (refused.status, statuses) == (429, [200] * 3)
    assert "5 s of CPU a minute" in refused.json["detail"]
    assert int(refused.headers["Retry-After"]) >= 1
    assert done == ["others", "attack"]
    plain = {**wanted, "workflow": draft(actions=steps(tag("x")))}
    assert (await good.call("POST", f"{ROOT}/test", plain)).status == 200
