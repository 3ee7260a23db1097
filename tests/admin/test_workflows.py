"""Workflows through the API: stored whole, changed with care, switched, deleted softly."""

from typing import Any

import psycopg
import pytest

from schemas.workflow import Revision
from tests.admin.conftest import Api, User, draft


async def test_a_new_workflow_is_stored_whole(user: User) -> None:
    """Property 1: what was sent comes back, inactive, at version 1, with an ETag and its own address."""
    answer = await user.call("POST", "/api/v1/workflows", draft())
    assert answer.status == 201
    assert {key: answer.json[key] for key in draft()} == draft()
    assert (answer.json["active"], answer.json["version"], answer.json["created_by"]) == (False, 1, str(user.id))
    assert answer.headers["ETag"] == '"1"'
    again = await user.call("GET", answer.headers["Location"])
    assert again.json == answer.json


async def test_every_write_is_row_revision_and_outbox(user: User, database: str) -> None:
    """Each write leaves one revision and one outbox record of it, keyed by the workflow; deletion says so."""
    workflow = await user.create()
    path = f"/api/v1/workflows/{workflow['id']}"
    await user.call("POST", f"{path}/activate")
    await user.call("PUT", path, draft(name="Other"), headers={"If-Match": '"2"'})
    await user.call("DELETE", path)
    async with await psycopg.AsyncConnection.connect(database) as connection:
        rows = await (await connection.execute("SELECT topic, key, value FROM outbox ORDER BY id")).fetchall()
        versions = await (await connection.execute("SELECT version FROM automation_revisions ORDER BY 1")).fetchall()
    revisions = [Revision.model_validate_json(value) for _, _, value in rows]
    assert versions == [(1,), (2,), (3,), (4,)]
    assert [(r.version, r.active, r.deleted, r.name) for r in revisions] == [
        (1, False, False, "Big order"),
        (2, True, False, "Big order"),
        (3, True, False, "Other"),
        (4, False, True, "Other"),
    ]
    assert {(topic, key) for topic, key, _ in rows} == {("t.matcher-workflows-changelog", workflow["id"].encode())}
