"""Properties 1, 2 and 26 to 28: what is stored, and whose it is; through the API, on real Postgres."""

from typing import Any
from uuid import UUID

import psycopg
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.postgres.reentry_text import read_reentry
from tests.admin.conftest import Api
from tests.admin.drafts import NAMES, drafts
from tests.admin.test_ownership import listed
from tests.admin.test_workflows import address, put, written
from tests.properties.engine import Engine
from tests.properties.examples import PROPERTY

ROOT = "/api/v1/workflows"


async def stored(engine: Engine, workflow: dict[str, Any]) -> dict[str, Any]:
    """Return a workflow as its row has it, in the API's form."""
    (row,) = await engine.fetch("SELECT * FROM automations WHERE id = %s", UUID(workflow["id"]))
    trigger = {"type": row["trigger_type"], "config": row["trigger_config"]}
    same = {name: row[name] for name in ("name", "description", "priority", "conditions", "actions")}
    return {**same, "reentry": read_reentry(row["reentry"]), "trigger": trigger}


# Feature: automations-workflows, Property 1: Workflow Storage Completeness
@PROPERTY
@given(draft=drafts())
async def test_01_a_created_workflow_has_all_its_fields(engine: Engine, api: Api, draft: dict[str, Any]) -> None:
    """Name, description, trigger, conditions and actions: in the answer, when it is read, and in its row."""
    user = api.user()
    answer = await user.call("POST", ROOT, draft)
    assert answer.status == 201, answer.json
    assert written(answer.json) == draft
    assert (await user.call("GET", address(answer.json))).json == answer.json
    assert await stored(engine, answer.json) == draft


# Feature: automations-workflows, Property 2: Workflow Update Persistence
@PROPERTY
@given(first=drafts(), second=drafts())
async def test_02_an_update_is_what_is_read_afterwards(
    engine: Engine, api: Api, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """Every field has its new value, in the answer, when it is read, and in its row; whose it is stays."""
    user = api.user()
    workflow = await user.create(**first)
    answer = await put(user, workflow, second)
    assert answer.status == 200, answer.json
    read = (await user.call("GET", address(workflow))).json
    assert read == answer.json
    assert written(read) == second == await stored(engine, workflow)
    assert (read["id"], read["created_by"], read["version"]) == (workflow["id"], str(user.id), 2)


# Feature: automations-workflows, Property 26: Ownership Association
@PROPERTY
@given(draft=drafts(), role=st.sampled_from(["user", "admin"]))
async def test_26_a_workflow_is_its_creators(engine: Engine, api: Api, draft: dict[str, Any], role: Any) -> None:
    """Whoever creates it owns it, an admin too, also after somebody else has changed it; nobody can claim another's."""
    user, admin = api.user(role), api.user("admin")
    workflow = await user.create(**draft)
    await put(admin, workflow, {**draft, "name": "changed"})
    (row,) = await engine.fetch("SELECT created_by FROM automations WHERE id = %s", UUID(workflow["id"]))
    assert (workflow["created_by"], row["created_by"]) == (str(user.id), user.id)
    assert (await user.call("POST", ROOT, {**draft, "created_by": str(admin.id)})).status == 400


# Feature: automations-workflows, Property 27: Access Control Filtering
@PROPERTY
@given(counts=st.lists(st.integers(0, 2), min_size=2, max_size=3), name=NAMES)
async def test_27_a_user_lists_their_own_workflows_only(api: Api, counts: list[int], name: str) -> None:
    """All of their own and nobody else's, however many others have."""
    users = [api.user() for _ in counts]
    made = [
        {(await user.create(name=name))["id"] for _ in range(count)} for user, count in zip(users, counts, strict=True)
    ]
    for user, ids in zip(users, made, strict=True):
        assert sorted(await listed(user)) == sorted(ids)


# Feature: automations-workflows, Property 28: Admin Full Access
@PROPERTY
@given(counts=st.lists(st.integers(0, 2), min_size=2, max_size=3), deleted=st.booleans(), name=NAMES)
async def test_28_an_admin_lists_all_workflows(
    engine: Engine, api: Api, api_database: str, counts: list[int], name: str, *, deleted: bool
) -> None:
    """Exactly those in the table that are not deleted, whoever's they are."""
    await clear(api_database)
    made = [(user := api.user(), [await user.create(name=name) for _ in range(count)]) for count in counts]
    if deleted and counts[0]:
        owner, workflows = made[0]
        assert (await owner.call("DELETE", address(workflows[0]))).status == 204
    there = await engine.fetch("SELECT id FROM automations WHERE deleted_at IS NULL")
    expected = sum(counts) - (deleted and counts[0] > 0)
    assert len(there) == expected
    assert sorted(await listed(api.user("admin"))) == sorted(str(row["id"]) for row in there)


async def clear(database: str) -> None:
    """Mark all workflows deleted, so that an admin's list is short."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute("UPDATE automations SET deleted_at = now(), active = false WHERE deleted_at IS NULL")
