"""Workflow templates through the API: the gallery, who sees what, and the workflows made of them."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.starter_templates import store_starters
from app.adapters.postgres.templates import PostgresTemplates
from app.admin.auth import mint_token
from app.admin.problems import problem_for
from app.domain.callers import Caller
from app.domain.errors import NotPermittedError, SettingsError
from app.services.workflows.starter_templates import STARTERS, starter_id
from app.settings import Settings
from tests.admin.conftest import Answer, Api, User, draft
from tests.admin.drafts import NAMES, drafts

ROOT = "/api/v1/templates"
WORKFLOW_PARTS = ("name", "description", "priority", "reentry", "trigger", "conditions", "actions")
QUICK = examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def made(user: User, **changes: Any) -> dict[str, Any]:
    """A template of a user."""
    answer = await user.call("POST", ROOT, draft(**{"category": "sales", "is_public": False, **changes}))
    assert answer.status == 201, answer.json
    created: dict[str, Any] = answer.json
    return created


async def listed(user: User, **query: Any) -> set[str]:
    """Ids of all templates that a user can list."""
    ids: set[str] = set()
    params = {"limit": "200", **{name: str(value).lower() for name, value in query.items()}}
    while True:
        page = (await user.call("GET", ROOT, params=params)).json
        ids |= {template["id"] for template in page["items"]}
        if page["next_cursor"] is None:
            return ids
        params["cursor"] = page["next_cursor"]


@QUICK
@given(written=drafts(), public=st.booleans())
async def test_a_template_is_stored_whole(api: Api, written: dict[str, Any], *, public: bool) -> None:
    """What was written comes back, owned by who wrote it, never used."""
    user = api.user("user", "templates:publish")
    template = (await user.call("POST", ROOT, {**written, "category": "welcome", "is_public": public})).json
    shown = (await user.call("GET", f"{ROOT}/{template['id']}")).json
    assert shown == template
    assert {name: shown[name] for name in WORKFLOW_PARTS} == written
    assert (shown["category"], shown["is_public"], shown["usage_count"], shown["created_by"]) == (
        "welcome", public, 0, str(user.id),
    )  # fmt: skip


@QUICK
@given(written=drafts(), name=st.none() | NAMES)
async def test_applying_a_template_makes_a_workflow_of_it(api: Api, written: dict[str, Any], name: str | None) -> None:
    """Property 18: a new inactive workflow with the template's trigger, conditions and actions; the use is counted."""
    author, user = api.user("user", "templates:publish"), api.user()
    template = (await author.call("POST", ROOT, {**written, "is_public": True})).json
    answer = await user.call("POST", f"{ROOT}/{template['id']}/apply", {} if name is None else {"name": name})
    assert answer.status == 201, answer.json
    workflow = (await user.call("GET", f"/api/v1/workflows/{answer.json['id']}")).json
    assert answer.headers["Location"] == f"/api/v1/workflows/{workflow['id']}"
    expected = written if name is None else {**written, "name": name}
    assert {part: workflow[part] for part in WORKFLOW_PARTS} == expected
    assert (workflow["active"], workflow["created_by"]) == (False, str(user.id))
    assert (await author.call("GET", f"{ROOT}/{template['id']}")).json == {**template, "usage_count": 1}


async def test_customizations_are_merged_and_checked(user: User) -> None:
    """A merge patch of the workflow's fields; what makes the draft wrong is named, and nothing is made or counted."""
    template = await made(user)
    path = f"{ROOT}/{template['id']}/apply"
    changed = {"priority": 1, "trigger": {"type": "order.created"}, "conditions": []}
    workflow = (await user.call("POST", path, changed)).json
    assert (workflow["priority"], workflow["trigger"]["type"], workflow["conditions"]) == (1, "order.created", [])
    assert workflow["actions"] == template["actions"]
    for wrong, where in (({"priority": 12}, "priority"), ({"actions": []}, "actions"), ({"category": "x"}, "category")):
        answer = await user.call("POST", path, wrong)
        assert (answer.status, answer.json["errors"][0]["path"]) == (400, where), answer.json
    assert (await user.call("GET", f"{ROOT}/{template['id']}")).json["usage_count"] == 1


@QUICK
@given(public=st.lists(st.booleans(), min_size=1, max_size=4))
async def test_private_templates_are_their_creators_alone(api: Api, public: list[bool]) -> None:
    """Property 19: of others' templates a user sees the public ones, by list, by id and to apply; an admin sees all."""
    author, other = api.user("user", "templates:publish"), api.user()
    for is_public in public:
        template = await made(author, is_public=is_public)
        path = f"{ROOT}/{template['id']}"
        assert template["id"] in await listed(author)
        assert (template["id"] in await listed(other)) is is_public
        assert (await other.call("GET", path)).status == (200 if is_public else 404)
        assert (await other.call("POST", f"{path}/apply", {})).status == (201 if is_public else 404)
        assert template["id"] in await listed(api.user("admin"))
        await author.call("DELETE", path)  # so that everybody's list stays short


async def test_nobody_changes_anothers_template(api: Api, admin: User) -> None:
    """Not even a public one; an admin may, and it stays its author's."""
    user = api.user("user", "templates:publish")
    template = await made(user, is_public=True)
    path, other, match = f"{ROOT}/{template['id']}", api.user(), {"headers": {"If-Match": "*"}}
    assert (await other.call("PUT", path, draft(), **match)).status == 404
    assert (await other.call("PATCH", path, {"name": "Mine"}, **match)).status == 404
    assert (await other.call("DELETE", path)).status == 404
    assert (await user.call("GET", path)).json == template
    changed = (await admin.call("PATCH", path, {"name": "Better"}, **match)).json
    assert (changed["name"], changed["created_by"], changed["version"]) == ("Better", str(user.id), 2)


async def test_a_template_is_changed_by_version(api: Api) -> None:
    """PUT replaces, PATCH merges; without If-Match 428, with an old one 412; what is deleted is gone."""
    user = api.user("user", "templates:publish")
    template = await made(user)
    path = f"{ROOT}/{template['id']}"
    replaced = await user.call("PUT", path, draft(name="New", is_public=True), headers={"If-Match": '"1"'})
    assert (replaced.status, replaced.json["name"], replaced.json["category"]) == (200, "New", None)
    assert replaced.headers["ETag"] == '"2"'
    patched = await user.call("PATCH", path, {"category": "support"}, headers={"If-Match": '"2"'})
    assert (patched.json["category"], patched.json["is_public"], patched.json["version"]) == ("support", True, 3)
    assert (await user.call("PATCH", path, {"name": "x"}, headers={"If-Match": '"2"'})).status == 412
    assert (await user.call("PATCH", path, {"name": "x"})).status == 428
    assert (await user.call("DELETE", path)).status == 204
    assert (await user.call("GET", path)).status == 404


async def test_the_list_is_filtered(api: Api) -> None:
    """By category, trigger type, search, visibility and owner; all that is given must hold."""
    user = api.user("user", "templates:publish")
    one = await made(user, name="Alpha one")
    two = await made(user, name="Beta", category="support", trigger={"type": "order.created"}, is_public=True)
    assert await listed(user, mine=True) == {one["id"], two["id"]}
    for query, expected in (
        ({"category": "sales"}, {one["id"]}),
        ({"trigger_type": "order.created"}, {two["id"]}),
        ({"search": "ALPHA"}, {one["id"]}),
        ({"public": True}, {two["id"]}),
        ({"public": False}, {one["id"]}),
        ({"public": False, "category": "support"}, set()),
    ):
        assert await listed(user, mine=True, **query) == expected, query


async def test_a_workflow_becomes_a_template(api: Api) -> None:
    """Its trigger, conditions and actions, presented as the metadata says; only its owner can make one of it."""
    user = api.user("user", "templates:publish")
    workflow = await user.create()
    path = f"/api/v1/workflows/{workflow['id']}/template"
    answer = await user.call("POST", path, {"name": "For all", "category": "sales", "is_public": True})
    assert answer.status == 201, answer.json
    parts = {name: answer.json[name] for name in WORKFLOW_PARTS}
    assert parts == {**{name: workflow[name] for name in WORKFLOW_PARTS}, "name": "For all"}
    assert (await api.user().call("POST", path, {})).status == 404


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"category": "Sales & more"}, "category"),
        ({"is_public": "perhaps"}, "is_public"),
        ({"name": ""}, "name"),
        ({"usage_count": 3}, "usage_count"),
        ({"actions": [{"type": "fly", "order": 1}]}, "actions[0].type"),
        ({"conditions": [{"field": "a", "operator": "~", "value": 1}]}, "conditions[0].operator"),
    ],
)
async def test_what_is_wrong_with_a_template_is_named(user: User, changes: dict[str, Any], path: str) -> None:
    """A template is a workflow to be: what a workflow may not hold, it may not either."""
    answer: Answer = await user.call("POST", ROOT, draft() | changes)
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [path])


def test_every_category_has_starters() -> None:
    """The specification's four, with distinct names."""
    assert {starter["category"] for starter in STARTERS} == {"welcome", "reengagement", "sales", "support"}
    assert len({starter_id(starter) for starter in STARTERS}) == len(STARTERS)


async def test_every_starter_is_in_the_gallery_and_applies(user: User, api_database: str) -> None:
    """Stored once however often; each makes a workflow that the API takes, and could be written by a user."""
    drafts_by_id = {starter_id(starter): starter for starter in STARTERS}
    # The database is shared: the gallery's tests may have stored some.
    there = {str(one) for one in drafts_by_id} & await listed(user, public=True)
    assert store_starters(api_database, drafts_by_id, uuid4()) == len(STARTERS) - len(there)
    assert store_starters(api_database, drafts_by_id, uuid4()) == 0
    assert {str(one) for one in drafts_by_id} <= await listed(user, public=True)
    for template_id, starter in drafts_by_id.items():
        assert (await user.call("POST", f"{ROOT}/{template_id}/apply", {})).status == 201, starter["name"]
        assert (await user.call("POST", ROOT, {**starter, "is_public": False})).status == 201, starter["name"]


async def test_a_starter_that_somebody_changed_stays_as_it_is(admin: User, api_database: str) -> None:
    """A new version of the software brings the others up to date."""
    one, two = {**STARTERS[0], "name": uuid4().hex}, {**STARTERS[1], "name": uuid4().hex}
    store_starters(api_database, {starter_id(one): one, starter_id(two): two}, uuid4())
    await admin.call("PATCH", f"{ROOT}/{starter_id(one)}", {"description": "ours"}, headers={"If-Match": "*"})
    newer = {starter_id(one): {**one, "priority": 1}, starter_id(two): {**two, "priority": 1}}
    assert store_starters(api_database, newer, uuid4()) == 1
    kept = (await admin.call("GET", f"{ROOT}/{starter_id(one)}")).json
    assert (kept["description"], kept["priority"]) == ("ours", 5)


def test_where_users_are_made_by_others_an_owner_is_needed(database: str) -> None:
    """As in Supabase: the service may not add users, and the error says which option to use."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("REVOKE INSERT ON auth.users FROM headrace_service")
    with pytest.raises(SettingsError, match="--owner"):
        store_starters(database, {starter_id(STARTERS[0]): STARTERS[0]}, uuid4())


PUBLISHING: dict[str, tuple[str, str, dict[str, Any]]] = {
    "create": ("POST", ROOT, {"is_public": True}),
    "replace": ("PUT", f"{ROOT}/{{private}}", {"is_public": True}),
    "patch": ("PATCH", f"{ROOT}/{{private}}", {"is_public": True}),
    "change what is public": ("PATCH", f"{ROOT}/{{public}}", {"name": "Everybody sees this"}),
    "of a workflow": ("POST", "/api/v1/workflows/{workflow}/template", {"is_public": True}),
}


@pytest.mark.parametrize("way", PUBLISHING)
async def test_publishing_is_a_permission(api: Api, way: str) -> None:
    """Whatever the way: without it 403 that names field and permission, and nothing changes; with it it is done."""
    author = api.user("user", "templates:publish")
    plain = User(api.client, mint_token(api.settings, author.id, "user", 600), author.id)
    ids = {
        "private": (await made(author))["id"],
        "public": (await made(author, is_public=True))["id"],
        "workflow": (await author.create())["id"],
    }
    method, path, changes = PUBLISHING[way]
    body = draft(**changes) if way in {"create", "replace"} else changes
    before = await listed(author)
    refused = await plain.call(method, path.format(**ids), body, headers={"If-Match": "*"})
    assert (refused.status, "is_public" in refused.json["detail"], "templates:publish" in refused.json["detail"]) == (
        403, True, True,
    )  # fmt: skip
    assert await listed(author) == before
    assert (await author.call(method, path.format(**ids), body, headers={"If-Match": "*"})).status in {200, 201}


async def test_taking_a_template_back_needs_no_permission(api: Api) -> None:
    """Who may publish no more can still make what they published private, or remove it; but not change and leave it."""
    author = api.user("user", "templates:publish")
    plain = User(api.client, mint_token(api.settings, author.id, "user", 600), author.id)
    path = f"{ROOT}/{(await made(author, is_public=True))['id']}"
    assert (await plain.call("PATCH", path, {"is_public": False}, headers={"If-Match": "*"})).status == 200
    assert (await plain.call("DELETE", f"{ROOT}/{(await made(author, is_public=True))['id']}")).status == 204


@pytest.mark.parametrize("public", [True, None])
async def test_row_level_security_holds_publishing_too(settings: Settings, api: Api, *, public: bool | None) -> None:
    """Whatever SQL runs as the API's role: a row of one's own becomes public with the permission alone."""
    author = api.user("user", "templates:publish")
    template = await made(author)
    update = text("UPDATE automation_templates SET is_public = :public WHERE id = :id").bindparams(
        public=public, id=UUID(template["id"])
    )
    database = ApiDatabase(settings)
    try:
        if public:
            with pytest.raises(NotPermittedError):
                async with database.writing(Caller(author.id, "user")) as connection:
                    await connection.execute(update)
        for caller in (Caller(author.id, "user", frozenset({"templates:publish"})), Caller(author.id, "admin")):
            async with database.writing(caller) as connection:
                assert (await connection.execute(update)).rowcount == 1
    finally:
        await database.close()


async def test_what_the_database_refuses_a_caller_is_403_and_an_error_of_ours(
    settings: Settings, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """With the API's own check out of the way, by a store's call: 403, logged and counted; nothing has changed."""
    author = api.user("user", "templates:publish")
    caller, template_id = Caller(author.id, "user"), UUID((await made(author))["id"])
    database, before = ApiDatabase(settings), refusals()
    store = PostgresTemplates(database)
    try:
        private = await store.get(caller, template_id)
        assert private is not None
        with pytest.raises(NotPermittedError) as refused:
            async with store.transaction(caller) as transaction:
                await transaction.update(private.model_copy(update={"is_public": True}))
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.serving() as connection:
                await connection.execute(text("DELETE FROM automation_templates"))
        kept = await store.get(caller, template_id)
    finally:
        await database.close()
    answer = problem_for(refused.value, "urn:x")
    assert answer is not None
    assert (answer.status, refusals() - before) == (403, 1)
    assert "row-level security" in vars(caplog.records[-1])["why"]
    assert kept is not None
    assert kept.is_public is False


def refusals() -> float:
    """How often the database has refused what the API let through."""
    return REGISTRY.get_sample_value("headrace_database_refusals_total") or 0.0
