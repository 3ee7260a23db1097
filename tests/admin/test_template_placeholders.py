"""Templates that ask for values: declared, shown as a form, applied; and what of a workflow becomes placeholders."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator
from psycopg.types.json import Jsonb

from app.settings import Settings
from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log
from tests.admin.test_openapi import assert_as_described
from tests.admin.test_templates import ROOT
from tests.support.sessions import signed_in

ASKED: list[dict[str, Any]] = [
    {"name": "amount", "type": "money", "label": "From which total", "default": 500, "minimum": 1, "currency": "EUR"},
    {"name": "subject", "type": "text", "label": "Subject", "max_length": 20},
    {"name": "wait", "type": "duration", "label": "How long to wait", "default": "2 days", "maximum": "30d"},
    {"name": "copy", "type": "email", "label": "Copy to", "required": False},
]
PARTS: dict[str, Any] = {
    "name": "Thank for more than [[amount]]",
    "conditions": [{"field": "order.total", "operator": ">", "value": "[[amount]]"}],
    "actions": [
        {"type": "delay", "order": 1, "config": {"duration": "[[wait]]"}},
        {
            "type": "send_email",
            "order": 2,
            "config": {"subject": "[[subject]]", "text": "You spent over [[amount]].", "cc": ["[[copy]]"]},
        },
    ],
    "placeholders": ASKED,
}


async def asking(user: User, **changes: Any) -> dict[str, Any]:
    """A template that asks."""
    answer = await user.call("POST", ROOT, draft(**{**PARTS, **changes}))
    assert answer.status == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


async def test_a_template_is_applied_with_values(user: User) -> None:
    """Defaults where none is given; a number stays one; what is left out leaves its place; a patch still counts."""
    template = await asking(user)
    assert [one["name"] for one in template["placeholders"]] == ["amount", "subject", "wait", "copy"]
    answer = await user.call(
        "POST", f"{ROOT}/{template['id']}/apply", {"placeholders": {"subject": "Thanks!"}, "priority": 2}
    )
    assert answer.status == 201, answer.json
    workflow = answer.json
    assert (workflow["name"], workflow["priority"]) == ("Thank for more than 500.00", 2)
    assert workflow["conditions"][0]["value"] == 500
    delay, mail = workflow["actions"]
    assert delay["config"] == {"duration": "2d"}
    assert mail["config"] == {"subject": "Thanks!", "text": "You spent over 500.00.", "cc": []}
    given = {"subject": "S", "amount": "49.90", "wait": "90m", "copy": "boss@example.com"}
    other = (await user.call("POST", f"{ROOT}/{template['id']}/apply", {"placeholders": given})).json
    assert (other["conditions"][0]["value"], other["actions"][0]["config"]["duration"]) == (49.9, "90m")
    assert other["actions"][1]["config"]["cc"] == ["boss@example.com"]


async def test_every_wrong_value_is_named(user: User) -> None:
    """Under placeholders, all at once; no workflow is made and no use counted."""
    template = await asking(user)
    path = f"{ROOT}/{template['id']}/apply"
    wrong = {"amount": 0.001, "wait": "90 days", "copy": "x", "subjekt": "S"}
    answer = await user.call("POST", path, {"placeholders": wrong})
    assert answer.status == 400
    assert {error["path"] for error in answer.json["errors"]} == {
        f"placeholders.{name}" for name in ("amount", "subject", "wait", "copy", "subjekt")
    }
    assert "did you mean subject?" in str(answer.json)
    bodies: tuple[Any, ...] = ([], {"placeholders": [1]})
    for body in bodies:
        assert (await user.call("POST", path, body)).status == 400
    assert (await user.call("GET", f"{ROOT}/{template['id']}")).json["usage_count"] == 0


async def test_what_a_value_breaks_is_blamed_on_it(user: User) -> None:
    """A text that is no template where it stands: the error names the placeholder, and the field that it is for."""
    template = await asking(user)
    answer = await user.call("POST", f"{ROOT}/{template['id']}/apply", {"placeholders": {"subject": "{{ oops"}})
    (error,) = answer.json["errors"]
    assert (answer.status, error["path"]) == (400, "placeholders.subject")
    assert error["message"].startswith("actions[1].config.subject: ")


async def test_a_channel_that_is_not_there_is_blamed_on_its_placeholder(user: User) -> None:
    """Whoever applies the template is told which value to change."""
    notify = {"type": "send_notification", "order": 1, "config": {"channel": "[[team]]", "title": "t", "body": "b"}}
    asked = [{"name": "team", "type": "channel", "label": "Team's channel"}]
    template = await asking(user, name="Tell", conditions=[], actions=[notify], placeholders=asked)
    answer = await user.call("POST", f"{ROOT}/{template['id']}/apply", {"placeholders": {"team": "nowhere"}})
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, ["placeholders.team"])


async def test_the_form_is_a_json_schema(user: User) -> None:
    """It takes what apply takes, and the answers are as the OpenAPI document says."""
    template = await asking(user)
    answer = await user.call("GET", f"{ROOT}/{template['id']}/form")
    assert_as_described(answer, "GET", f"{ROOT}/{{id}}/form")
    form = Draft202012Validator(answer.json["form"])
    assert form.is_valid({"subject": "S", "wait": "3d"})
    assert not form.is_valid({"subject": "S" * 21})
    assert not form.is_valid({})
    assert_as_described(await user.call("GET", f"{ROOT}/{template['id']}"), "GET", f"{ROOT}/{{id}}")


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"placeholders": ASKED[:3]}, ["actions[1].config.cc[0]"]),
        ({"placeholders": [*ASKED, {"name": "idle", "type": "text", "label": "Idle"}]}, ["placeholders[4].name"]),
        ({"placeholders": [{**ASKED[0], "type": "colour"}, *ASKED[1:]]}, ["placeholders[0].type"]),
        ({"placeholders": [{**ASKED[0], "default": 0}, *ASKED[1:]]}, ["placeholders[0].default"]),
        ({"placeholders": [{**ASKED[0], "name": "Amount"}, *ASKED[1:]]}, ["placeholders[0].name"]),
    ],
)
async def test_a_template_that_asks_wrongly_is_refused(user: User, changes: dict[str, Any], paths: list[str]) -> None:
    """A mark of no placeholder, a placeholder of no mark, a type there is not, a default out of bounds."""
    answer = await user.call("POST", ROOT, draft(**{**PARTS, **changes}))
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, paths), answer.json


async def test_placeholders_are_changed_like_the_rest(user: User) -> None:
    """By a merge patch, checked with the whole."""
    template = await asking(user)
    path, match = f"{ROOT}/{template['id']}", {"headers": {"If-Match": "*"}}
    fewer = await user.call("PATCH", path, {"placeholders": ASKED[:2]}, **match)
    assert fewer.status == 400
    longer = [{**one, "default": "Hi"} if one["name"] == "subject" else one for one in ASKED]
    changed = await user.call("PATCH", path, {"placeholders": longer}, **match)
    assert (changed.status, changed.json["placeholders"][1]["default"]) == (200, "Hi")
    assert (await user.call("POST", f"{path}/apply", {})).status == 201


async def test_categories_are_listed_with_their_numbers(api: Api) -> None:
    """Of what the caller can list: another user's private templates do not count."""
    user, other, name = api.user(), api.user(), f"c-{uuid4().hex[:8]}"
    for _ in range(2):
        await asking(user, category=name)
    answer = await user.call("GET", f"{ROOT}/categories")
    assert_as_described(answer, "GET", f"{ROOT}/categories")
    assert {"category": name, "templates": 2} in answer.json["items"]
    assert name not in str((await other.call("GET", f"{ROOT}/categories")).json)


async def test_what_is_an_authors_alone_becomes_placeholders(api: Api, admin: User) -> None:
    """Secrets, channels, addresses, ids: none of them is in the template, each is asked for, and it applies."""
    user, reader = api.user("user", "crm:read", "crm:write", "messages:any", "templates:publish"), api.user()
    for name in ("OURKEY", "THEIRS"):
        await admin.call("PUT", f"/api/v1/secrets/{name}", {"value": "12345678", "owners": ["*"], "hosts": ["*"]})
    channels = {"ours": f"ours-{uuid4().hex[:8]}", "theirs": f"theirs-{uuid4().hex[:8]}"}
    for name in channels.values():
        channel = {"name": name, "url": "json://example.com/hook", "owners": ["*"], "workflows": ["*"]}
        assert (await admin.call("POST", "/api/v1/channels", channel)).status == 201
    colleague = str(uuid4())
    hook = {
        "url": "https://hooks.example.com/T0/private/{{ customer.id }}",
        "headers": {"Authorization": "Bearer {{ secrets.OURKEY }}"},
        "sign_with": "OURKEY",
        "body": {"by": "boss@ours.example.com", "of": colleague},
    }
    actions = [
        {"type": "webhook", "order": 1, "config": hook},
        {"type": "send_notification", "order": 2, "config": {"channel": channels["ours"], "title": "t", "body": "b"}},
        {"type": "create_task", "order": 3, "config": {"title": "Call {{ customer.name }}", "assignee": "Zebulon"}},
        {"type": "send_email", "order": 4, "config": {"to": "boss@ours.example.com", "subject": "s", "text": "t"}},
    ]
    conditions = [{"field": "customer.id", "operator": "!=", "value": "c-ours"}]
    workflow = await user.create(actions=actions, conditions=conditions)
    answer = await user.call("POST", f"/api/v1/workflows/{workflow['id']}/template", {"is_public": True})
    assert answer.status == 201, answer.json
    template = answer.json
    for told in ("OURKEY", channels["ours"], "ours.example.com", "hooks.example.com", colleague, "c-ours", "Zebulon"):
        assert told not in str({**template, "created_by": ""}), told
    asked = {one["name"]: one["type"] for one in template["placeholders"]}
    assert asked == {
        "id": "text", "url": "url", "ourkey": "secret", "email": "email", "id_2": "text", "channel": "channel",
        "assignee": "text",
    }  # fmt: skip
    assert all(one["required"] and "default" not in one for one in template["placeholders"])
    values = {
        "id": "c-9", "url": "https://else.example.com/", "ourkey": "THEIRS", "email": "me@example.com", "id_2": "x",
        "channel": channels["theirs"], "assignee": "ann",
    }  # fmt: skip
    applied = await reader.call("POST", f"{ROOT}/{template['id']}/apply", {"placeholders": values})
    assert applied.status == 201, applied.json
    config = applied.json["actions"][0]["config"]
    assert config["url"] == "https://else.example.com/{{ customer.id }}"
    assert (config["headers"]["Authorization"], config["sign_with"]) == ("Bearer {{ secrets.THEIRS }}", "THEIRS")
    assert config["body"] == {"by": "me@example.com", "of": "x"}
    assert applied.json["conditions"][0]["value"] == "c-9"


async def test_a_credential_that_is_written_out_is_refused(user: User) -> None:
    """It cannot be told from what goes around it; the error says where it is and what to do, not what it is."""
    hook = {"url": "https://example.com/x", "headers": {"Authorization": "Bearer abcdef"}, "body": {"api_key": "k-1"}}
    workflow = await user.create(actions=[{"type": "webhook", "order": 1, "config": hook}])
    answer = await user.call("POST", f"/api/v1/workflows/{workflow['id']}/template", {})
    paths = sorted(error["path"] for error in answer.json["errors"])
    assert (answer.status, paths) == (
        400,
        ["actions[0].config.body.api_key", "actions[0].config.headers.Authorization"],
    )
    assert "secret" in answer.json["errors"][0]["message"]
    assert "abcdef" not in str(answer.json)


Open = Callable[[str], Awaitable[int]]


@pytest.fixture
def opened(api: Api, api_database: str, settings: Settings) -> Open:
    """Return what opens a page as somebody new, and tells its status."""

    async def status_of(path: str) -> int:
        who = await signed_in(api_database, settings)
        async with api.client.get(path, headers=who.cookie, allow_redirects=False) as page:
            return page.status

    return status_of


@pytest.mark.parametrize(
    "placeholder",
    [
        {},
        {"name": "a", "type": "number", "label": "A", "default": "many"},
        {"name": "a", "type": "number", "label": "A", "minimum": "few"},
        {"name": "a", "type": "duration", "label": "A", "minimum": "soon"},
        {"name": "a", "type": "choice", "label": "A"},
    ],
)
async def test_one_that_sql_has_declared_wrong_hides_no_other(
    admin: User, log: Log, opened: Open, placeholder: dict[str, Any]
) -> None:
    """The gallery shows the rest; whoever opens or applies it is told what is wrong of it."""
    made = await asking(admin, is_public=True)
    try:
        write = "UPDATE automation_templates SET placeholders = %s WHERE id = %s"
        await log.connection.execute(write, (Jsonb([placeholder]), made["id"]))
        assert [await opened(path) for path in ("/templates", f"/templates/{made['id']}")] == [200, 400]
        applied = await admin.call("POST", f"{ROOT}/{made['id']}/apply", {"placeholders": {}})
        assert (applied.status, (await admin.call("GET", ROOT)).status) == (400, 200)
    finally:
        await log.connection.execute("DELETE FROM automation_templates WHERE id = %s", (made["id"],))
