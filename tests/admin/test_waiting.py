"""Executions that wait, through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.adapters.postgres.timers import PostgresTimers
from app.ports import Record, Timer
from tests.admin.conftest import Api, User, draft

ROOT = "/api/v1/executions/waiting"
NOW = datetime.now(UTC).replace(microsecond=0)


async def workflow_of(user: User) -> UUID:
    """Make a workflow of a user."""
    return UUID((await user.call("POST", "/api/v1/workflows", draft())).json["id"])


async def wait(database: str, workflow_id: UUID, minutes: int, entity: str = "c-1") -> Timer:
    """Let an execution wait for so many minutes."""
    timer = Timer(
        command_id=uuid4(),
        execution_id=uuid4(),
        workflow_id=workflow_id,
        entity=entity,
        step=1,
        kind="delay",
        reason="delay until then",
        due=NOW + timedelta(minutes=minutes),
        record=Record("t.actions.apply_tag", b"c-1", b'{"secret": "s3cr3t"}'),
    )
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await PostgresTimers(connection).set([timer])
    return timer


async def listed(user: User, **query: Any) -> list[str]:
    """Ids of all pages."""
    ids: list[str] = []
    params = {name: str(value) for name, value in query.items()}
    while True:
        answer = await user.call("GET", ROOT, params=params)
        assert answer.status == 200, answer.json
        ids += [row["id"] for row in answer.json["items"]]
        if answer.json["next_cursor"] is None:
            return ids
        params["cursor"] = answer.json["next_cursor"]


async def test_a_waiting_execution_is_told_in_full(user: User, api_database: str) -> None:
    """Which step of what waits, why, and until when; not the record that it holds."""
    workflow_id = await workflow_of(user)
    timer = await wait(api_database, workflow_id, 5)
    answer = await user.call("GET", ROOT, params={"workflow_id": str(workflow_id)})
    (row,) = answer.json["items"]
    assert (row["id"], row["command_id"], row["workflow_id"]) == (
        str(timer.execution_id), str(timer.command_id), str(workflow_id),
    )  # fmt: skip
    assert (row["step"], row["kind"], row["reason"], row["entity"]) == (1, "delay", "delay until then", "c-1")
    assert row["next_action"] == "apply_tag"
    assert datetime.fromisoformat(row["due"]) == timer.due
    assert "s3cr3t" not in str(answer.json)


@pytest.mark.parametrize("limit", [1, 2, 50])
async def test_they_are_listed_by_due_time_page_by_page(user: User, api_database: str, limit: int) -> None:
    """Those due first first, whatever the size of a page."""
    workflow_id = await workflow_of(user)
    timers = [await wait(api_database, workflow_id, minutes) for minutes in (5, 1, 9)]
    in_order = [str(timer.execution_id) for timer in sorted(timers, key=lambda timer: timer.due)]
    assert await listed(user, workflow_id=workflow_id, limit=limit) == in_order


async def test_filters_and_owners(api: Api, api_database: str) -> None:
    """A workflow's, an entity's; nobody sees another user's but an admin."""
    one, two = api.user(), api.user()
    mine, other = await workflow_of(one), await workflow_of(two)
    first = await wait(api_database, mine, 1, entity="c-1")
    second = await wait(api_database, mine, 2, entity="c-2")
    third = await wait(api_database, other, 3)
    assert await listed(one) == [str(first.execution_id), str(second.execution_id)]
    assert await listed(one, entity="c-2") == [str(second.execution_id)]
    assert await listed(one, workflow_id=other) == []
    assert str(third.execution_id) in await listed(api.user("admin"))
