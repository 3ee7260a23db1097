"""Message templates through the API: whose they are, what is refused, and the workflows that use them."""

from typing import Any
from uuid import uuid4

import pytest

from tests.admin.conftest import Api, User, draft

ROOT = "/api/v1/message-templates"
WORKFLOWS = "/api/v1/workflows"
WELCOME: dict[str, Any] = {
    "name": "welcome",
    "kind": "email",
    "subject": "Hello {{ customer.name }}",
    "text": "Welcome, {{ customer.name }}",
    "html": "<p>{{ customer.name }}</p>",
}
ANY = {"headers": {"If-Match": "*"}}


async def made(user: User, **changes: Any) -> dict[str, Any]:
    """A template of a user."""
    answer = await user.call("POST", ROOT, WELCOME | changes)
    assert answer.status == 201, answer.json
    created: dict[str, Any] = answer.json
    return created


def using(**config: Any) -> dict[str, Any]:
    """A workflow whose only action sends an e-mail."""
    return draft(actions=[{"type": "send_email", "order": 1, "config": config}])


async def test_a_template_is_stored_whole(user: User) -> None:
    """What was written comes back, under an ETag and the writer's name."""
    answer = await user.call("POST", ROOT, WELCOME)
    assert (answer.status, answer.headers["ETag"]) == (201, '"1"')
    assert answer.headers["Location"] == f"{ROOT}/{answer.json['id']}"
    shown = (await user.call("GET", f"{ROOT}/{answer.json['id']}")).json
    assert shown == answer.json
    assert {name: shown[name] for name in WELCOME} == WELCOME
    assert shown["created_by"] == str(user.id)


async def test_a_template_is_changed_by_version(user: User) -> None:
    """PUT replaces, PATCH merges; without If-Match 428, with an old one 412; what is deleted is gone."""
    path = f"{ROOT}/{(await made(user))['id']}"
    replaced = await user.call("PUT", path, {**WELCOME, "html": ""}, headers={"If-Match": '"1"'})
    assert (replaced.status, replaced.json["html"], replaced.json["version"]) == (200, "", 2)
    patched = await user.call("PATCH", path, {"subject": "Hi"}, headers={"If-Match": '"2"'})
    assert (patched.json["subject"], patched.json["text"], patched.headers["ETag"]) == ("Hi", WELCOME["text"], '"3"')
    assert (await user.call("PATCH", path, {"subject": "x"}, headers={"If-Match": '"2"'})).status == 412
    assert (await user.call("PATCH", path, {"subject": "x"})).status == 428
    assert (await user.call("DELETE", path)).status == 204
    assert (await user.call("GET", path)).status == 404


async def test_templates_are_their_owners_alone(api: Api, user: User, admin: User) -> None:
    """Others neither see nor change them; an admin may, and they stay their owner's."""
    template = await made(user)
    path, other = f"{ROOT}/{template['id']}", api.user()
    assert (await other.call("GET", path)).status == 404
    assert (await other.call("PATCH", path, {"text": "x"}, **ANY)).status == 404
    assert (await other.call("DELETE", path)).status == 404
    assert (await other.call("GET", ROOT)).json["items"] == []
    changed = (await admin.call("PATCH", path, {"text": "Better"}, **ANY)).json
    assert (changed["text"], changed["created_by"]) == ("Better", str(user.id))


async def test_the_list_is_filtered_and_paged(user: User) -> None:
    """By kind and by search in the name; newest first, page by page."""
    ids = [(await made(user, name=f"n{number}"))["id"] for number in range(3)]
    sms = await made(user, name="n9", kind="sms", subject="", html="")
    listed = (await user.call("GET", ROOT, params={"kind": "email", "limit": "2"})).json
    rest = (await user.call("GET", ROOT, params={"kind": "email", "cursor": listed["next_cursor"]})).json
    assert [one["id"] for one in (*listed["items"], *rest["items"])] == ids[::-1]
    assert rest["next_cursor"] is None
    found = (await user.call("GET", ROOT, params={"search": "N9"})).json["items"]
    assert [one["id"] for one in found] == [sms["id"]]


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"name": "Welcome home"}, ["name"]),
        ({"kind": "fax"}, ["kind"]),
        ({"subject": ""}, ["subject"]),
        ({"subject": "{{ oops", "html": "{% if %}"}, ["subject", "html"]),
        ({"text": "", "html": ""}, ["text"]),
        ({"kind": "sms"}, ["subject", "html"]),
        ({"kind": "sms", "subject": "", "html": "", "text": ""}, ["text"]),
        ({"kind": "whatsapp", "subject": "", "html": "", "text": ""}, ["text"]),
        ({"owner": "me"}, ["owner"]),
    ],
)
async def test_what_is_wrong_is_named(user: User, changes: dict[str, Any], paths: list[str]) -> None:
    """Shape, parts that the kind does not have, templates that do not compile, and words that are missing."""
    answer = await user.call("POST", ROOT, WELCOME | changes)
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, paths), answer.json


async def test_a_name_is_taken_once_for_each_kind_and_owner(api: Api, user: User) -> None:
    """409 for the second; another kind, and another owner, have names of their own."""
    await made(user)
    again = await user.call("POST", ROOT, WELCOME)
    assert again.status == 409
    assert "'welcome'" in again.json["detail"]
    await made(user, kind="sms", subject="", html="")
    await made(api.user())
    second = await made(user, name="second")
    assert (await user.call("PATCH", f"{ROOT}/{second['id']}", {"name": "welcome"}, **ANY)).status == 409


async def test_a_workflow_may_name_what_is_there(api: Api, user: User, admin: User) -> None:
    """A template that its owner does not have is refused on save by its path, also where another has it."""
    other = api.user()
    await made(other)
    for caller in (user, admin):
        refused = await caller.call("POST", WORKFLOWS, using(template="welcome"))
        assert (refused.status, refused.json["errors"][0]["path"]) == (400, "actions[0].config.template")
        assert "'welcome'" in refused.json["errors"][0]["message"]
    await made(user)
    workflow = (await user.call("POST", WORKFLOWS, using(template="welcome"))).json
    path = f"{WORKFLOWS}/{workflow['id']}"
    gone = [{"type": "send_email", "order": 1, "config": {"template": "gone"}}]
    for caller in (user, admin):
        assert (await caller.call("PATCH", path, {"actions": gone}, **ANY)).status == 400
        assert (await caller.call("PATCH", path, {"name": f"n{uuid4().hex}"}, **ANY)).status == 200


async def test_what_a_workflow_uses_is_neither_deleted_nor_renamed(user: User) -> None:
    """409 that names the workflow; its texts can be changed, and once the workflow is gone all is free."""
    template = await made(user)
    path = f"{ROOT}/{template['id']}"
    workflow = (await user.call("POST", WORKFLOWS, {**using(template="welcome"), "name": "Greeter"})).json
    for answer in (await user.call("DELETE", path), await user.call("PATCH", path, {"name": "hello"}, **ANY)):
        assert answer.status == 409
        assert "'Greeter'" in answer.json["detail"]
    assert (await user.call("PATCH", path, {"text": "New"}, **ANY)).status == 200
    assert (await user.call("DELETE", f"{WORKFLOWS}/{workflow['id']}")).status == 204
    assert (await user.call("PATCH", path, {"name": "hello"}, **ANY)).status == 200
    assert (await user.call("DELETE", path)).status == 204


async def test_a_dry_run_renders_the_template(api: Api, user: User, admin: User) -> None:
    """As it is now, of the workflow's owner whoever asks; a draft may name one that is not there, and hears of it."""
    template = await made(user)
    workflow = (await user.call("POST", WORKFLOWS, {**using(template="welcome"), "conditions": []})).json
    event = {"event": {"data": {"customer": {"id": "c", "name": "Ada", "email": "ada@b.example"}}}}
    await user.call("PATCH", f"{ROOT}/{template['id']}", {"subject": "Edited {{ customer.name }}"}, **ANY)
    for caller in (user, admin):
        tried = (await caller.call("POST", f"{WORKFLOWS}/{workflow['id']}/test", event)).json
        assert tried["steps"][0]["would_send"]["subject"] == "Edited Ada"
    other = api.user()
    draft_of_another = {**using(template="welcome"), "conditions": []}
    tried = (await other.call("POST", f"{WORKFLOWS}/test", {**event, "workflow": draft_of_another})).json
    assert tried["steps"][0]["error"] == "template: there is no email template named 'welcome'"
