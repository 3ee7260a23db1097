"""Workflows through the API: stored whole, changed with care, switched, deleted softly."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from schemas.workflow import Revision
from tests.admin.conftest import Answer, User, draft
from tests.admin.drafts import drafts
from tests.support.waiting import eventually

ROOT = "/api/v1/workflows"
ON_ONE_API = examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def address(workflow: dict[str, Any]) -> str:
    """Where a workflow is."""
    return f"{ROOT}/{workflow['id']}"


def written(workflow: dict[str, Any]) -> dict[str, Any]:
    """What of a workflow its user wrote."""
    keys = ("name", "description", "priority", "reentry", "trigger", "conditions", "actions")
    return {key: workflow[key] for key in keys}


async def put(user: User, workflow: dict[str, Any], body: Any) -> Answer:
    """Replace a workflow as somebody who has read its newest version."""
    return await user.call("PUT", address(workflow), body, headers={"If-Match": f'"{workflow["version"]}"'})


@ON_ONE_API
@given(drafted=drafts())
async def test_a_new_workflow_is_stored_whole(user: User, drafted: dict[str, Any]) -> None:
    """Property 1: all that was written comes back, at once and later; property 26: it is its creator's."""
    answer = await user.call("POST", ROOT, drafted)
    assert answer.status == 201, answer.json
    assert written(answer.json) == drafted
    assert (answer.json["active"], answer.json["version"], answer.json["created_by"]) == (False, 1, str(user.id))
    assert (await user.call("GET", answer.headers["Location"])).json == answer.json


@ON_ONE_API
@given(first=drafts(), second=drafts())
async def test_an_update_is_what_is_read_afterwards(user: User, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Property 2: after an update every field has its new value, and what users don't write is as it was."""
    workflow = await user.create(**first)
    answer = await put(user, workflow, second)
    assert answer.status == 200, answer.json
    assert written(answer.json) == second
    assert answer.headers["ETag"] == '"2"'
    read = (await user.call("GET", address(workflow))).json
    assert read == answer.json
    assert [read[key] for key in ("id", "active", "created_by", "created_at")] == [
        workflow[key] for key in ("id", "active", "created_by", "created_at")
    ]


@ON_ONE_API
@given(drafted=drafts())
async def test_switching_off_keeps_the_configuration(user: User, drafted: dict[str, Any]) -> None:
    """Property 5: on and off again leaves everything a user wrote as it was."""
    workflow = await user.create(**drafted)
    switched_on = await user.call("POST", f"{address(workflow)}/activate")
    switched_off = await user.call("POST", f"{address(workflow)}/deactivate")
    assert (switched_on.json["active"], switched_off.json["active"]) == (True, False)
    assert written(switched_on.json) == written(switched_off.json) == drafted


async def test_defaults_are_filled_in(user: User) -> None:
    """What may be left out has its documented default."""
    answer = await user.call(
        "POST",
        ROOT,
        {
            "name": "n",
            "trigger": {"type": "custom.thing"},
            "actions": [{"type": "apply_tag", "order": 0, "config": {"tag": "t"}}],
        },
    )
    assert answer.status == 201
    assert (answer.json["description"], answer.json["priority"], answer.json["conditions"]) == ("", 5, [])
    assert answer.json["reentry"] == "always"


async def test_every_write_is_row_revision_and_outbox(user: User, api_database: str) -> None:
    """Each write leaves one revision and one outbox record of it, keyed by the workflow; deletion says so."""
    workflow = await user.create()
    await user.call("POST", f"{address(workflow)}/activate")
    await user.call("PUT", f"{address(workflow)}?publish=true", draft(name="Other"), headers={"If-Match": '"2"'})
    await user.call("DELETE", address(workflow))
    revisions, versions = await published(api_database, workflow)
    assert versions == [1, 2, 3, 4]
    assert [(r.version, r.active, r.deleted, r.name) for r in revisions] == [
        (1, False, False, "Big order"),
        (2, True, False, "Big order"),
        (3, True, False, "Other"),
        (4, False, True, "Other"),
    ]


async def published(database: str, workflow: dict[str, Any]) -> tuple[list[Revision], list[int]]:
    """What the outbox says of a workflow, in order, and the versions of its stored revisions."""
    outbox = "SELECT value FROM outbox WHERE topic = '@workflows' AND key = %s ORDER BY id"
    stored = "SELECT version FROM automation_revisions WHERE automation_id = %s ORDER BY 1"
    async with await psycopg.AsyncConnection.connect(database) as connection:
        values = await (await connection.execute(outbox, (workflow["id"].encode(),))).fetchall()
        versions = await (await connection.execute(stored, (UUID(workflow["id"]),))).fetchall()
    return [Revision.model_validate_json(value) for (value,) in values], [version for (version,) in versions]


async def test_a_refused_write_leaves_nothing(user: User, api_database: str) -> None:
    """A draft that is refused is in no table, nor is a stale update."""
    workflow = await user.create()
    await user.call("POST", ROOT, draft(name=""))
    await user.call("PUT", address(workflow), draft(name="x"), headers={"If-Match": '"7"'})
    assert [one["id"] for one in (await user.call("GET", ROOT)).json["items"]] == [workflow["id"]]
    revisions, versions = await published(api_database, workflow)
    assert ([revision.version for revision in revisions], versions) == ([1], [1])


async def test_actions_of_a_revision_are_in_the_order_they_run(user: User, api_database: str) -> None:
    """The matchers get actions sorted by ``order``, however they were written."""
    actions = [{"type": "apply_tag", "order": n, "config": {"tag": f"t{n}"}} for n in (30, 2, 11)]
    workflow = await user.create(actions=actions)
    (revision,), _ = await published(api_database, workflow)
    assert [action.order for action in revision.actions] == [2, 11, 30]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_an_update_needs_if_match(user: User, method: str) -> None:
    """Without If-Match 428, with an old or a nonsensical one 412, with * any version goes."""
    workflow = await user.create()
    body = draft(name="New")
    assert (await user.call(method, address(workflow), body)).status == 428
    for tag in ('"2"', '"0"', "1", 'W/"1"', '"x"'):
        stale = await user.call(method, address(workflow), body, headers={"If-Match": tag})
        assert stale.status == 412, tag
    assert (await user.call(method, address(workflow), body, headers={"If-Match": "*"})).json["version"] == 2


async def test_of_concurrent_updates_one_wins(user: User, api_database: str) -> None:
    """Writers who have all read the same version, at the same moment: one wins, the others hear that they are stale."""
    workflow = await user.create()
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'headrace admin'"
        " AND datname = current_database()"
    )
    async with (
        await psycopg.AsyncConnection.connect(api_database) as holder,
        await psycopg.AsyncConnection.connect(api_database, autocommit=True) as watcher,
    ):
        await holder.execute("SELECT FROM automations WHERE id = %s FOR UPDATE", (UUID(workflow["id"]),))
        puts = [asyncio.create_task(put(user, workflow, draft(name=f"n{n}"))) for n in range(3)]

        async def all_wait() -> bool:
            return (await (await watcher.execute(waiting)).fetchone()) == (3,)

        await eventually(all_wait, within=9, what="three writers at the row")
    answers = [await one for one in puts]
    assert sorted(answer.status for answer in answers) == [200, 412, 412]
    winner = next(answer.json for answer in answers if answer.status == 200)
    assert (await user.call("GET", address(workflow))).json == winner


async def test_a_patch_changes_what_it_names(user: User) -> None:
    """A merge patch changes what it names, null goes back to the default, and lists are replaced whole."""
    workflow = await user.create()
    patch = {"name": "Patched", "description": None, "actions": [{"type": "stop_workflow", "order": 5}]}
    answer = await user.call("PATCH", address(workflow), patch, headers={"If-Match": '"1"'})
    assert answer.status == 200, answer.json
    assert (answer.json["name"], answer.json["description"]) == ("Patched", "")
    assert [action["type"] for action in answer.json["actions"]] == ["stop_workflow"]
    assert answer.json["conditions"] == workflow["conditions"]


async def test_a_patch_is_checked_like_a_draft(user: User) -> None:
    """What a patch would make of the workflow is checked whole."""
    workflow = await user.create()
    for patch, path in (({"priority": 12}, "priority"), ({"name": None}, "name"), ({"active": True}, "active")):
        answer = await user.call("PATCH", address(workflow), patch, headers={"If-Match": '"1"'})
        assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [path])


async def test_switching_on_twice_is_one_write(user: User) -> None:
    """A workflow that is on stays as it is: no new version for nothing."""
    workflow = await user.create()
    answers = [await user.call("POST", f"{address(workflow)}/activate") for _ in range(2)]
    assert [answer.json["version"] for answer in answers] == [2, 2]


async def test_switching_honours_if_match(user: User) -> None:
    """Who says which version they mean is told if it is another."""
    workflow = await user.create()
    stale = await user.call("POST", f"{address(workflow)}/activate", headers={"If-Match": '"9"'})
    assert stale.status == 412
    assert (await user.call("GET", address(workflow))).json["active"] is False


async def test_a_deleted_workflow_is_gone_but_its_history_is_not(user: User) -> None:
    """Property 3's first half: no way leads to a deleted workflow, and its revisions can still be read."""
    workflow = await user.create()
    assert (await user.call("DELETE", address(workflow), headers={"If-Match": '"5"'})).status == 412
    assert (await user.call("DELETE", address(workflow))).status == 204
    for method, path, options in (
        ("GET", address(workflow), {}),
        ("PUT", address(workflow), {"json": draft(), "headers": {"If-Match": "*"}}),
        ("POST", f"{address(workflow)}/activate", {}),
        ("DELETE", address(workflow), {}),
    ):
        assert (await user.call(method, path, **options)).status == 404, method
    assert (await user.call("GET", ROOT)).json["items"] == []
    history = (await user.call("GET", f"{address(workflow)}/revisions")).json["items"]
    assert [(revision["version"], revision["deleted"]) for revision in history] == [(2, True), (1, False)]


async def test_history_is_read_in_pages(user: User, admin: User) -> None:
    """Revisions come newest first, with who wrote them, and ``before`` leads on."""
    workflow = await user.create()
    for version in (1, 2, 3):
        await put(admin, {**workflow, "version": version}, draft(name=f"n{version}"))
    first = (await user.call("GET", f"{address(workflow)}/revisions?limit=3")).json["items"]
    rest = (await user.call("GET", f"{address(workflow)}/revisions?before={first[-1]['version']}")).json["items"]
    assert [(r["version"], r["written_by"]) for r in first + rest] == [
        (4, str(admin.id)),
        (3, str(admin.id)),
        (2, str(admin.id)),
        (1, str(user.id)),
    ]
    assert {r["owner"] for r in first + rest} == {str(user.id)}
