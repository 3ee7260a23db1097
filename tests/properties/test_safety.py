"""Properties 24, 25 and 29: retries, loops, and dry runs that leave no trace."""

from itertools import pairwise
from typing import Any, Final
from uuid import uuid4

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
    WHERE table_schema IN ('public', 'crm') AND table_type = 'BASE TABLE' AND table_name !~ '[0-9]{8}$'
"""


async def counts(engine: Engine) -> dict[str, int]:
    """Return how many rows every production table has; a day's partition counts with its table."""
    tables = [row["name"] for row in await engine.fetch(TABLES)]
    counting = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in tables)  # noqa: S608 - quoted by Postgres
    return {row["name"]: row["n"] for row in await engine.fetch(counting)}


# Feature: automations-workflows, Property 29: Test Execution Isolation
@PROPERTY
@given(draft=drafts(), data=DATA, stored=st.booleans())
async def test_29_a_test_of_a_workflow_persists_nothing(
    engine: Engine, api: Api, draft: dict[str, Any], data: dict[str, Any], *, stored: bool
) -> None:
    """No row in any table, no record in Kafka, nothing sent outside; of a draft and of a stored workflow."""
    user = api.user()
    body = {"event": {"data": {"customer": {"id": "c-1"}, **data}}}
    path = "/api/v1/workflows/test"
    if stored:
        path = f"/api/v1/workflows/{(await user.create(**draft))['id']}/test"
    else:
        body = {**body, "workflow": draft}
    await user.call("GET", "/api/v1/workflows")  # any first call notes what its caller may
    await engine.settle()
    engine.forget()
    before = await counts(engine)
    answer = await user.call("POST", path, body)
    assert answer.status == 200, answer.json
    assert len(answer.json["steps"]) == len(draft["actions"])
    await engine.settle()
    assert await counts(engine) == before
    assert {"public.automation_logs", "public.outbox", "public.receipts", "crm.tags"} <= before.keys()
    assert (api.sender.records, engine.http.requests, engine.mail.messages) == ([], [], [])
