"""Workflows, revisions and templates that SQL stored as nothing reads: each reader shows the rest, none answers 500."""

from typing import Any, Final
from uuid import UUID

import orjson
import psycopg
import pytest

from app.settings import Settings
from tests.admin.conftest import Api, User, draft
from tests.admin.test_drafts import save
from tests.admin.test_stored_workflows import ROOT, stored
from tests.admin.test_unreadable_rows import seen
from tests.support.sessions import SignedIn, signed_in

_WRITE: Final = "UPDATE automation_templates SET {} = %s WHERE id = %s"
TAG: Final = {"type": "apply_tag", "order": 1, "config": {"tag": "vip"}}
COLUMNS: Final[list[tuple[dict[str, Any], str]]] = [
    ({"actions": [{"order": 2}, TAG]}, "actions[0].type"),
    ({"actions": [TAG, {**TAG, "order": -1}]}, "actions[1].order"),
    ({"actions": [{**TAG, "config": 5}]}, "actions[0].config"),
    ({"trigger_type": "no type"}, "trigger.type"),
]
BODIES: Final[list[tuple[dict[str, Any], str]]] = [
    ({}, "name"),
    ({"id": "5", "trigger": {}}, "trigger.type"),
    ({"trigger": {"type": "order.paid"}, "actions": 5}, "actions"),
    ({"trigger": {"type": "order.paid"}, "name": [], "updated_at": "yesterday"}, "updated_at"),
]


async def run(database: str, statement: str, *values: object) -> None:
    """Write by SQL, as one who may write anything."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(statement.encode(), values)


async def recorded(user: User, database: str, body: dict[str, Any]) -> dict[str, Any]:
    """A workflow of three versions, the second of which is recorded as that."""
    workflow = await user.create()
    for what in ("activate", "deactivate"):
        await user.call("POST", f"{ROOT}/{workflow['id']}/{what}")
    delete = "DELETE FROM automation_revisions WHERE automation_id = %s AND version = 2"
    insert = "INSERT INTO automation_revisions (automation_id, version, body, created_by) VALUES (%s, 2, %s, %s)"
    await run(database, "ALTER TABLE automation_revisions DISABLE TRIGGER USER")
    await run(database, delete, UUID(workflow["id"]))
    await run(database, "ALTER TABLE automation_revisions ENABLE TRIGGER USER")
    await run(database, insert, UUID(workflow["id"]), orjson.dumps(body).decode(), user.id)
    return workflow


@pytest.fixture
async def who(api_database: str, settings: Settings) -> SignedIn:
    """Somebody with a session."""
    who = await signed_in(api_database, settings, "user", "crm:read", "events:write")
    await run(api_database, "INSERT INTO auth.users (id) VALUES (%s) ON CONFLICT DO NOTHING", who.id)
    return who


@pytest.mark.parametrize(("columns", "path"), COLUMNS)
async def test_a_workflow_is_shown_without_what_cannot_be_read(
    user: User, api_database: str, columns: dict[str, Any], path: str
) -> None:
    """By itself and in the list, with what is wrong named; the others of the list are as they were."""
    good, bad = await user.create(), await stored(user, api_database, columns)
    one = await user.call("GET", f"{ROOT}/{bad['id']}")
    items = {item["id"]: item for item in (await user.call("GET", ROOT)).json["items"]}
    assert (one.status, set(items)) == (200, {good["id"], bad["id"]}), one
    for shown in (one.json, items[bad["id"]]):
        assert path in [error["path"] for error in shown["unreadable"]]
        assert (shown["name"], shown["version"]) == (bad["name"], one.json["version"])
        assert all(action["type"] == "apply_tag" for action in shown["actions"])
    assert not items[good["id"]].get("unreadable")


@pytest.mark.parametrize(("columns", "path"), COLUMNS)
async def test_nothing_is_made_of_such_a_workflow(
    api: Api, user: User, api_database: str, columns: dict[str, Any], path: str
) -> None:
    """What is left out would be missing from it: 409 that names it, and no event; written anew in full it is mended."""
    workflow = await stored(user, api_database, columns)
    one = f"{ROOT}/{workflow['id']}"
    answers = [
        await user.call("POST", f"{one}/deactivate"),
        await user.call("POST", f"{one}/execute", {"data": {}}),
        await user.call("POST", f"{one}/duplicate"),
        await user.call("POST", f"{one}/template", {"name": "t", "category": "sales"}),
        await user.call("PATCH", f"{one}?publish=true", {"name": "other"}, headers={"If-Match": "*"}),
        await user.call("GET", f"{one}/diff?from=1&to=live"),
    ]
    assert ([answer.status for answer in answers], api.sender.records) == ([409] * 6, []), answers
    assert all(path in answer.json["detail"] for answer in answers)
    mended = await user.call("PUT", f"{one}?publish=true", draft(), headers={"If-Match": "*"})
    assert (mended.status, mended.json.get("unreadable", [])) == (200, []), mended
    assert (await user.call("POST", f"{one}/deactivate")).status == 200


@pytest.mark.parametrize(("body", "path"), BODIES)
async def test_a_revision_is_shown_without_what_cannot_be_read(
    user: User, api_database: str, body: dict[str, Any], path: str
) -> None:
    """By itself and among the others."""
    workflow = await recorded(user, api_database, body)
    one = f"{ROOT}/{workflow['id']}/revisions"
    listed, shown = await user.call("GET", one), await user.call("GET", f"{one}/2")
    assert (listed.status, shown.status) == (200, 200), (listed, shown)
    assert [item["version"] for item in listed.json["items"]] == [3, 2, 1]
    assert [bool(item.get("unreadable")) for item in listed.json["items"]] == [False, True, False]
    assert (shown.json["id"], shown.json["written_by"]) == (workflow["id"], str(user.id))
    assert path in [error["path"] for error in shown.json["unreadable"]]


@pytest.mark.parametrize(("body", "path"), BODIES)
async def test_such_a_revision_is_neither_compared_nor_gone_back_to(
    user: User, api_database: str, body: dict[str, Any], path: str
) -> None:
    """409 that names what is wrong; there is no draft afterwards."""
    workflow = await recorded(user, api_database, body)
    one = f"{ROOT}/{workflow['id']}"
    answers = [
        await user.call("GET", f"{one}/diff?from=2&to=live"),
        await user.call("POST", f"{one}/revisions/2/restore"),
    ]
    assert [answer.status for answer in answers] == [409, 409], answers
    assert all(path in answer.json["detail"] for answer in answers)
    assert (await user.call("GET", f"{one}/draft")).status == 404


@pytest.mark.parametrize("columns", [columns for columns, _ in COLUMNS])
async def test_a_template_is_shown_without_what_cannot_be_read(
    user: User, api_database: str, columns: dict[str, Any]
) -> None:
    """By itself and in the list; it is not applied, and can be removed."""
    made = await user.call("POST", "/api/v1/templates", {**draft(), "category": "sales"})
    one = f"/api/v1/templates/{made.json['id']}"
    for name, value in columns.items():
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        await run(api_database, _WRITE.format(name), text, made.json["id"])
    await user.call("PATCH", one, {"name": "other"}, headers={"If-Match": "*"})  # so that no list is kept
    shown, listed = await user.call("GET", one), await user.call("GET", "/api/v1/templates?mine=true&limit=200")
    applied = await user.call("POST", f"{one}/apply", {})
    assert (shown.status, listed.status, applied.status) == (200, 200, 409), (shown, listed, applied)
    assert shown.json["unreadable"]
    assert (await user.call("DELETE", one, headers={"If-Match": "*"})).status == 204


@pytest.mark.parametrize("columns", [columns for columns, _ in COLUMNS])
async def test_every_page_shows_such_a_workflow(
    api: Api, user: User, who: SignedIn, api_database: str, columns: dict[str, Any]
) -> None:
    """Its own says what is left out, also beside a draft."""
    workflow = await stored(user, api_database, columns)
    own = "UPDATE automations SET created_by = %s WHERE id = %s"
    await save(user, (await user.call("GET", f"{ROOT}/{workflow['id']}")).json, draft())
    await run(api_database, own, who.id, UUID(workflow["id"]))
    paths = ["/workflows", f"/workflows/{workflow['id']}", f"/workflows/{workflow['id']}/history", "/"]
    pages = {path: await seen(api, who, path) for path in paths}
    assert {path: status for path, (status, _) in pages.items()} == dict.fromkeys(paths, 200)
    assert "cannot be read as it is stored" in pages[paths[1]][1]


@pytest.mark.parametrize("body", [body for body, _ in BODIES])
async def test_every_page_shows_such_a_revision(
    api: Api, user: User, who: SignedIn, api_database: str, body: dict[str, Any]
) -> None:
    """The history says which it is, and compares the others."""
    workflow = await recorded(user, api_database, body)
    await run(api_database, "UPDATE automations SET created_by = %s WHERE id = %s", who.id, UUID(workflow["id"]))
    one = f"/workflows/{workflow['id']}"
    paths = [one, f"{one}/history", f"{one}/history?from=2&to=3", f"{one}/history?from=1&to=3"]
    pages = {path: await seen(api, who, path) for path in paths}
    assert {path: status for path, (status, _) in pages.items()} == dict.fromkeys(paths, 200)
    assert "cannot be read in full" in pages[f"{one}/history"][1]
