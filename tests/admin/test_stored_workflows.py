"""Workflows that SQL stored, past what saving refuses: who reads them answers with the reason, and never 500."""

from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest
from psycopg import sql

from tests.admin.conftest import Api, User

ROOT = "/api/v1/workflows"
UNRUNNABLE: list[tuple[dict[str, Any], str]] = [
    ({"reentry": "bogus"}, "reentry"),
    ({"reentry": "once per 99999999999999999999999 days"}, "reentry"),
    ({"reentry": orjson.dumps({"once": True, "key": "a." * 300}).decode()}, "reentry"),
    ({"trigger_type": "customer.updated", "trigger_config": {"fields": 5}}, "trigger.config"),
    ({"trigger_type": "customer.updated", "trigger_config": {"fields": [{}]}}, "trigger.config"),
    ({"conditions": [{"field": "a", "operator": "bogus", "value": 1}]}, "conditions[0].operator"),
]
UNKNOWN = {"actions": [{"type": "nonesuch", "order": 1, "config": {}, "conditions": []}]}


async def stored(user: User, database: str, columns: dict[str, Any]) -> dict[str, Any]:
    """A workflow, active, with some of its columns written by SQL."""
    workflow = await user.create()
    await user.call("POST", f"{ROOT}/{workflow['id']}/activate")
    sets = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in columns
    )
    values = {n: v if isinstance(v, str) else orjson.dumps(v).decode() for n, v in columns.items()}
    write = sql.SQL("UPDATE automations SET {} WHERE id = %(id)s").format(sets)
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute(write, {**values, "id": UUID(workflow["id"])})
    return workflow


@pytest.mark.parametrize(("columns", "path"), [*UNRUNNABLE, (UNKNOWN, "actions[0].type")])
async def test_a_dry_run_names_what_is_wrong(user: User, api_database: str, columns: dict[str, Any], path: str) -> None:
    """400 with the path; it was 500."""
    workflow = await stored(user, api_database, columns)
    answer = await user.call("POST", f"{ROOT}/{workflow['id']}/test", {"event": {"data": {"changed": ["a"]}}})
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [f"workflow.{path}"])


@pytest.mark.parametrize(("columns", "path"), UNRUNNABLE)
async def test_what_no_matcher_runs_is_not_started(
    api: Api, user: User, api_database: str, columns: dict[str, Any], path: str
) -> None:
    """409 with the reason, and no event: the id of an execution that never comes would be no answer."""
    workflow = await stored(user, api_database, columns)
    answer = await user.call("POST", f"{ROOT}/{workflow['id']}/execute", {"data": {}})
    assert (answer.status, api.sender.records) == (409, [])
    assert f"{path}: " in answer.json["detail"]


@pytest.mark.parametrize("columns", [*(columns for columns, _ in UNRUNNABLE), UNKNOWN])
async def test_every_other_reader_answers(user: User, api_database: str, columns: dict[str, Any]) -> None:
    """It is shown, listed and switched off; as a template, or changed, what is wrong is named."""
    workflow = await stored(user, api_database, columns)
    one = f"{ROOT}/{workflow['id']}"
    answers = [
        await user.call("GET", one),
        await user.call("GET", ROOT),
        await user.call("GET", f"{one}/revisions"),
        await user.call("POST", f"{one}/deactivate"),
        await user.call("POST", f"{one}/activate"),
    ]
    assert [answer.status for answer in answers] == [200] * 5
    refused = [
        await user.call("PATCH", one, {"name": "other"}, headers={"If-Match": "*"}),
        await user.call("POST", f"{one}/template", {"name": "t", "category": "sales"}),
    ]
    assert [answer.status for answer in refused] == [400, 400], [answer.json for answer in refused]
