"""Properties 1, 2 and 26 to 28: what is stored, and whose it is; through the API, on real Postgres."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.reentry_text import read_reentry
from app.settings import Settings
from tests.admin.conftest import Answer, Api, User, serving
from tests.admin.drafts import NAMES, drafts
from tests.admin.test_ownership import listed
from tests.admin.test_workflows import address, put, written
from tests.properties.engine import Engine
from tests.properties.examples import PROPERTY
from tests.support.logins import as_role
from tests.support.postgres import new_database

ROOT = "/api/v1/workflows"


async def patched(user: User, workflow: dict[str, Any], body: Any) -> Answer:
    """Patch a workflow to be ``body``, as somebody who has read its newest version."""
    patch = merge_patch(written(workflow), body)
    return await user.call("PATCH", address(workflow), patch, headers={"If-Match": f'"{workflow["version"]}"'})


def merge_patch(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the patch that makes ``after`` of ``before``: what a patch does not name stays (RFC 7396)."""
    gone = dict.fromkeys(before.keys() - after.keys())
    both = {name for name in before.keys() & after.keys() if isinstance(before[name], dict)}
    inner = {name: merge_patch(before[name], after[name]) for name in both if isinstance(after[name], dict)}
    return {**gone, **after, **inner}


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
@given(first=drafts(), second=drafts(), way=st.sampled_from(["put", "patch", "publish"]))
async def test_02_an_update_is_what_is_read_afterwards(
    engine: Engine, api: Api, first: dict[str, Any], second: dict[str, Any], way: str
) -> None:
    """Every field has its new value, in the answer, when it is read, and in its row; whose it is stays.

    Of an active workflow what is live stays as it was until the update is published.
    """
    user = api.user()
    workflow = await user.create(**first)
    if way == "publish":
        workflow = await engine.switch(user, workflow, "activate")
    answer = await (patched if way == "patch" else put)(user, workflow, second)
    assert answer.status == 200, answer.json
    if way == "publish":
        assert written((await user.call("GET", address(workflow))).json) == first
        answer = await user.call("POST", f"{address(workflow)}/publish", headers={"If-Match": "*"})
        assert answer.status == 200, answer.json
    read = (await user.call("GET", address(workflow))).json
    assert read == answer.json
    assert written(read) == second == await stored(engine, workflow)
    assert (read["id"], read["created_by"], read["active"]) == (workflow["id"], str(user.id), workflow["active"])
    assert read["version"] == workflow["version"] + 1
    if workflow["active"]:
        await user.call("DELETE", address(workflow))  # so that it does not run with what others send


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


@pytest.fixture
async def own_api(postgres: str, migrated_template: str, settings: Settings) -> AsyncIterator[Api]:
    """An API over a database in which nobody else has workflows."""
    with new_database(postgres, template=migrated_template) as url:
        database = SecretStr(as_role(url, DatabaseRole.API))
        async with serving(settings.model_copy(update={"database_url": database})) as api:
            yield api


# Feature: automations-workflows, Property 28: Admin Full Access
@PROPERTY
@given(counts=st.lists(st.integers(0, 2), min_size=2, max_size=3), deleted=st.booleans(), name=NAMES)
async def test_28_an_admin_lists_all_workflows(own_api: Api, counts: list[int], name: str, *, deleted: bool) -> None:
    """Exactly those in the system that are not deleted, whoever's they are."""
    made: list[str] = []
    for count in counts:
        user = own_api.user()
        made += [(await user.create(name=name))["id"] for _ in range(count)]
    admin = own_api.user("admin")
    gone = made[:1] if deleted else []
    await delete(admin, gone)
    assert sorted(await listed(admin)) == sorted(set(made).difference(gone))
    await delete(admin, made)


async def delete(admin: User, ids: list[str]) -> None:
    """Delete workflows, so that an admin's list is short; those that are deleted already are passed over."""
    if ids:
        answer = await admin.call("POST", f"{ROOT}/bulk", {"ids": ids, "do": "delete"})
        assert answer.status == 200, answer.json
