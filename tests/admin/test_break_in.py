"""An attacker with an account: what is not theirs is named in bodies, queries and headers instead of in paths."""

import re
from typing import Any, Final
from uuid import uuid4

import pytest

from tests.admin.browsers import Visitor
from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log
from tests.admin.test_sign_in import PASSWORD, USERS, member
from tests.support.executions import EVENT

WORKFLOWS: Final = "/api/v1/workflows"
EXECUTIONS: Final = "/api/v1/executions"
OURS: Final = ("id", "created_by", "owner", "owner_id", "version", "created_at", "deleted_at", "user_id", "is_admin")
_NONE: Final = str(uuid4())


@pytest.mark.parametrize("field", OURS)
@pytest.mark.parametrize("path", [WORKFLOWS, "/api/v1/templates"])
async def test_nobody_writes_what_is_ours_to_say(user: User, path: str, field: str) -> None:
    """Whose it is, which it is, which version: refused by name where it is made and where it is changed."""
    made = await user.call("POST", path, draft(**{field: _NONE}))
    assert (made.status, [one["path"] for one in made.json["errors"]]) == (400, [field])
    thing = (await user.call("POST", path, draft())).json
    changed = await user.call("PATCH", f"{path}/{thing['id']}", {field: _NONE}, headers={"If-Match": "*"})
    assert (changed.status, [one["path"] for one in changed.json["errors"]]) == (400, [field])
    assert (await user.call("GET", f"{path}/{thing['id']}")).json == thing


@pytest.mark.parametrize("change", [{"role": "admin"}, {"permissions": ["operate"]}, {"disabled": False}], ids=str)
async def test_nobody_makes_themselves_more_than_they_are(api: Api, admin: User, change: dict[str, Any]) -> None:
    """Neither by changing themselves nor with their password."""
    made, visitor = await member(admin), Visitor(api)
    await visitor.sign_in(made["email"], PASSWORD)
    assert (await visitor.call("PATCH", f"{USERS}/{made['id']}", change, If_Match="*")).status == 403
    body = {"password": PASSWORD + "!", "current_password": PASSWORD, **change}
    assert (await visitor.call("POST", f"{USERS}/{made['id']}/password", body)).status == 400
    assert (await admin.call("GET", f"{USERS}/{made['id']}")).json["role"] == "user"


@pytest.mark.parametrize("tag", ['W/"1"', '"1", "9"', '"1", W/"2"', "1", '"01"', '"-1"', '"1" ', '"*"', '"9"', "'1'"])
async def test_no_spelling_of_an_etag_is_a_way_around(user: User, tag: str) -> None:
    """It is the version that was read, as it came, one of several, or any by ``*`` alone."""
    made = await user.create()
    await user.call("PATCH", f"{WORKFLOWS}/{made['id']}", {"name": "Second"}, headers={"If-Match": "*"})
    answer = await user.call("PATCH", f"{WORKFLOWS}/{made['id']}", {"name": "x"}, headers={"If-Match": tag})
    assert answer.status == 412, answer
    assert (await user.call("GET", f"{WORKFLOWS}/{made['id']}")).json["name"] == "Second"


async def test_anothers_things_in_bodies_and_queries_are_as_those_that_are_not_there(
    api: Api, user: User, log: Log
) -> None:
    """Answered word for word as an id that nothing has: no filter, export or trial tells that there is one."""
    theirs, thief = await user.create(name="Secret plan"), api.user()
    row = await log.add(theirs, event={**EVENT, "id": "e-secret"}, event_id="e-secret", entity="c-secret")
    asked: list[tuple[str, str, dict[str, Any] | None]] = []
    for workflow, execution, event, entity in (
        (theirs["id"], str(row["id"]), "e-secret", "c-secret"), (_NONE, _NONE, "e-none", "c-none"),
    ):  # fmt: skip
        past = {"workflow": draft(), "past": {"execution_id": execution}}
        called = {"workflow": draft(), "past": {"source": "/shop", "id": event}}
        asked += [
            ("GET", f"{EXECUTIONS}?workflow_id={workflow}", None),
            ("GET", f"{EXECUTIONS}?event_id={event}", None),
            ("GET", f"{EXECUTIONS}?entity={entity}", None),
            ("GET", f"{EXECUTIONS}/waiting?workflow_id={workflow}", None),
            ("GET", f"{EXECUTIONS}/export?workflow_id={workflow}", None),
            ("GET", f"{WORKFLOWS}/export?ids={workflow}", None),
            ("GET", f"/api/v1/search?q={execution}", None),
            ("POST", f"{WORKFLOWS}/test", past),
            ("POST", f"{WORKFLOWS}/test", called),
            ("POST", f"{WORKFLOWS}/bulk", {"ids": [workflow], "do": "delete"}),
            ("POST", f"{WORKFLOWS}/bulk", {"ids": [workflow], "do": "restore"}),
        ]
    answers = [await thief.call(method, path, body) for method, path, body in asked]
    half = len(answers) // 2
    for (method, path, _), there, none in zip(asked, answers[:half], answers[half:], strict=False):
        said = [_without_names(one.json, theirs["id"], str(row["id"])) for one in (there, none)]
        assert (there.status, said[0]) == (none.status, said[1]), f"{method} {path}"
    assert (await user.call("GET", f"{WORKFLOWS}/{theirs['id']}")).status == 200


def _without_names(said: Any, *names: str) -> str:
    """What was answered, without the ids that were asked for, the request's own, and how far back was looked."""
    if isinstance(said, dict):
        said = {name: value for name, value in said.items() if name != "instance"}
    text = str(said)
    for name in (*names, _NONE, "e-secret", "e-none", "c-secret", "c-none"):
        text = text.replace(name, "?")
    return re.sub(r"since \S+Z", "since then", text)


async def test_a_sign_in_tells_nothing_of_who_there_is(api: Api, admin: User) -> None:
    """Whoever is tried is hashed against and noted alike: status, text and headers are the same."""
    made, bare = await member(admin), await member(admin, password=None)
    tried = [made["email"], bare["email"], f"{uuid4().hex}@example.com"]
    answers = [await Visitor(api).sign_in(email, "not the password") for email in tried]
    assert len({(one.status, one.json["detail"], frozenset(one.headers) - {"Date"}) for one in answers}) == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_form_of_another_page_signs_nobody_in(api: Api, admin: User, content_type: str) -> None:
    """What a browser sends without asking first is no JSON, and is not read as such."""
    made = await member(admin)
    body = f'{{"email": "{made["email"]}", "password": "{PASSWORD}"}}'
    headers = {"Content-Type": content_type}
    async with api.client.post("/api/v1/session", data=body, headers=headers) as response:
        assert (response.status, "Set-Cookie" in response.headers) == (415, False)


async def test_headers_say_nothing_of_where_somebody_is(api: Api, admin: User) -> None:
    """Neither a session nor the audit trail believes a client that calls itself a proxy."""
    made, visitor = await member(admin), Visitor(api)
    forged = {"X_Forwarded_For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X_Real_IP": "203.0.113.9"}
    await visitor.sign_in(made["email"], "wrong-wrong", **forged)
    answer = await visitor.sign_in(made["email"], PASSWORD, **forged)
    assert answer.json["session"]["address"] == "127.0.0.1"
    said = (await admin.call("GET", f"/api/v1/audit?id={made['id']}&what=sign_in_failed")).json["items"]
    assert said[0]["changes"]["address"]["new"] == "127.0.0.1"
