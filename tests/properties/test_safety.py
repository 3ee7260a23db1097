"""Properties 24, 25 and 29: retries, loops, and dry runs that leave no trace."""

import time
from itertools import pairwise
from typing import Any, Final
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ActionFailedError
from app.ports import HttpAnswer
from tests.admin.conftest import Api
from tests.admin.drafts import drafts
from tests.properties.engine import Engine, event
from tests.properties.examples import DATA, NAMES, PROPERTY, TAGS

PASSING: Final = st.one_of(
    st.sampled_from([408, 425, 429, 500, 502, 503, 504]).map(lambda status: HttpAnswer(status, {}, "")),
    st.booleans().map(lambda unknown: ActionFailedError("no answer", effect_unknown=unknown)),
)


# Feature: automations-workflows, Property 24: Retry Logic
@PROPERTY
@given(failures=st.lists(PASSING, max_size=6), jitter=st.floats(0, 1))
async def test_24_a_failed_action_is_tried_again_three_times_with_backoff(
    engine: Engine, api: Api, failures: list[HttpAnswer | ActionFailedError], jitter: float
) -> None:
    """After 1, 2 and 4 seconds, which jitter only shortens; it fails after the fourth attempt, not before."""
    action = {"type": "webhook", "config": {"url": "https://hooks.example.com/x", "body": None}}
    workflow = await engine.workflow(api.user(), action)
    engine.forget()
    engine.http.answers, engine.jitter = list(failures), jitter
    row = await engine.run(workflow, event(workflow["trigger"]["type"]))
    retries = min(len(failures), 3)
    (result,) = row["actions_executed"]
    assert (len(engine.http.requests), result["attempts"]) == (retries + 1, retries + 1)
    assert result["status"] == ("success" if len(failures) < 4 else "failed")
    assert len({request.headers["Idempotency-Key"] for request in engine.http.requests}) == 1
    waits = [after - before for before, after in pairwise(engine.http.at)]
    assert waits == pytest.approx([wait * (1 - jitter / 10) for wait in (1, 2, 4)][:retries])


# Feature: automations-workflows, Property 25: Loop Detection
@PROPERTY
@given(size=st.sampled_from([1, 1, 1, 1, 2, 3]), note=st.none() | NAMES, customer=TAGS)
async def test_25_a_workflow_that_triggers_itself_runs_three_times(
    engine: Engine, api: Api, size: int, note: str | None, customer: str
) -> None:
    """By itself or in a ring, by the events of the real CRM: three rounds, then one row that says why no fourth."""
    user, tags = api.user(), [f"ring-{uuid4().hex[:8]}-{number}" for number in range(size)]
    ring = []
    for number, name in enumerate(tags):
        follower = tags[(number + 1) % size]
        steps: list[dict[str, Any]] = [
            {"type": kind, "config": {"tag": follower}} for kind in ("remove_tag", "apply_tag")
        ]
        notes = [{"type": "create_note", "config": {"text": note}}] if note else []
        trigger = {"type": "tag.applied", "config": {"tag": name}}
        ring.append(await engine.workflow(user, *notes, *steps, trigger=trigger))
    await engine.emit(event("tag.applied", tag=tags[0], customer={"id": customer}))
    found = [[row["status"] for row in await engine.rows(workflow)] for workflow in ring]
    assert found == [["success"] * 3 + ["blocked"], *[["success"] * 3] * (size - 1)]
    blocked = (await engine.rows(ring[0]))[-1]
    assert "3 times in the chain" in blocked["error_message"]
    assert blocked["actions_executed"] == []
    for workflow in ring:
        await user.call("DELETE", f"/api/v1/workflows/{workflow['id']}")


TABLES: Final = """
    SELECT format('%%I.%%I', table_schema, table_name) AS name FROM information_schema.tables
    WHERE table_schema IN ('public', 'crm', 'auth') AND table_type = 'BASE TABLE' AND table_name !~ '[0-9]{8}$'
"""


async def contents(engine: Engine) -> dict[str, tuple[int, int]]:
    """Return how many rows each table has, and a sum over all that they hold; a day's partition is in its table."""
    tables = [row["name"] for row in await engine.fetch(TABLES)]
    summing = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS n, coalesce(sum(hashtextextended(t::text, 0)), 0) AS held FROM {name} t"  # noqa: S608 - quoted by Postgres
        for name in tables
    )
    return {row["name"]: (row["n"], row["held"]) for row in await engine.fetch(summing)}


SENDERS: Final[tuple[dict[str, Any], ...]] = (
    {"type": "webhook", "config": {"url": "https://hooks.example.com/x"}},
    {"type": "send_email", "config": {"subject": "s", "text": "t", "to": "ada@example.com"}},
    {"type": "send_sms", "config": {"to": "+4930901820", "text": "t"}},
    {"type": "send_whatsapp", "config": {"to": "+4930901820", "meta_template": "t", "language": "en"}},
    {"type": "create_note", "config": {"text": "n"}},
    {"type": "create_task", "config": {"title": "t"}},
    {"type": "update_customer", "config": {"set": {"plan": "x"}}},
    {"type": "delay", "config": {"duration": "1s"}},
)


SENT: Final = st.lists(st.sampled_from(SENDERS), max_size=3)
WAYS: Final = ("draft", "stored", "stored draft", "sample", "past", "topics")


# Feature: automations-workflows, Property 29: Test Execution Isolation
@PROPERTY
@given(draft=drafts(), data=DATA, way=st.sampled_from(WAYS), more=SENT)
async def test_29_a_test_of_a_workflow_persists_nothing(  # noqa: PLR0917 - hypothesis passes by name
    engine: Engine, api: Api, draft: dict[str, Any], data: dict[str, Any], way: str, more: list[dict[str, Any]]
) -> None:
    """No table has a row more, less or other, no record is in Kafka, no receiver has anything.

    Of a draft, of a stored workflow and of an active one's draft; on an event, on a sample, and on one that really
    came, by the log or by the topics; whatever it would do: beside a draft's own actions those that send something or
    keep it for later.
    """
    user = api.user()
    actions = [{**one, "order": order} for order, one in enumerate([*draft["actions"], *more], 1_000)]
    draft = {**draft, "actions": actions}
    body: dict[str, Any] = {"event": {"data": {"customer": {"id": "c-1"}, **data}}}
    path = "/api/v1/workflows/test"
    if way == "sample":
        body = {"sample": True}
    if way == "past":
        ran = await engine.workflow(user, {"type": "stop_workflow", "config": {}})
        await engine.emit(sent := event(ran["trigger"]["type"], **data))
        body = {"past": {"source": sent["source"], "id": sent["id"]}}
    if way == "topics":
        came = event(f"custom.t{uuid4().hex}", **data)
        api.event_topics.put("t.events.custom", b"c-1", orjson.dumps(came), at=time.time())
        body = {"past": {"source": came["source"], "id": came["id"]}}
    if way == "stored":
        path = f"/api/v1/workflows/{(await user.create(**draft))['id']}/test"
    elif way == "stored draft":
        live = await engine.workflow(user, {"type": "stop_workflow", "config": {}})
        path, body = f"/api/v1/workflows/{live['id']}/test", {**body, "version": "draft"}
        saved = await user.call("PUT", path.replace("/test", "/draft"), draft, headers={"If-Match": '"0"'})
        assert saved.status == 200, saved.json
    else:
        body = {**body, "workflow": draft}
    await user.call("GET", "/api/v1/workflows")  # any first call notes what its caller may
    await engine.settle()
    engine.forget()
    before = await contents(engine)
    answer = await user.call("POST", path, body)
    assert answer.status == 200, answer.json
    assert len(answer.json["steps"]) == len(actions)
    await engine.settle()
    assert await contents(engine) == before
    assert {"public.automation_logs", "public.outbox", "public.receipts", "public.timers", "crm.tags"} <= before.keys()
    assert (api.sender.records, engine.http.requests, engine.mail.messages) == ([], [], [])
