"""Users over HTTP: administrators make, change, disable and delete them, never the last of their own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

from app.adapters.postgres.database_roles import DatabaseRole
from app.admin.auth import mint_token
from app.domain.callers import Permission, Role
from app.services.access.standings import FRESH_S
from app.settings import Settings
from tests.admin.browsers import Visitor
from tests.admin.conftest import Api, User, serving
from tests.admin.log import Log
from tests.admin.test_sign_in import PASSWORD, USERS, member
from tests.support.logins import as_role
from tests.support.postgres import new_database

ANY = {"If-Match": "*"}


async def change(admin: User, user: dict[str, Any], **changes: Any) -> Any:
    """Change a user, whatever version they have."""
    return await admin.call("PATCH", f"{USERS}/{user['id']}", changes, headers=ANY)


async def test_users_are_listed_in_pages(api: Api, admin: User) -> None:
    """Newest first, by words of e-mail and name, by role, by whether they are disabled."""
    word = uuid4().hex[:10]
    made = []
    for number in range(3):
        body = {"email": f"{word}{number}@example.com", "name": "Ada", "role": "admin" if number == 1 else "user"}
        made.append((await admin.call("POST", USERS, body)).json)
    await change(admin, made[2], disabled=True)

    async def ids(query: str) -> list[str]:
        return [one["id"] for one in (await admin.call("GET", f"{USERS}?search={word}{query}")).json["items"]]

    assert await ids("") == [made[2]["id"], made[1]["id"], made[0]["id"]]
    assert await ids("&role=admin") == [made[1]["id"]]
    assert await ids("&disabled=true") == [made[2]["id"]]
    assert len((await admin.call("GET", f"{USERS}?search={word.upper()}")).json["items"]) == 3
    first = (await admin.call("GET", f"{USERS}?search={word}&limit=2")).json
    assert await ids(f"&limit=2&cursor={first['next_cursor']}") == [made[0]["id"]]
    assert api.user() is not None


async def test_an_email_is_had_once(admin: User) -> None:
    """In upper or lower case, made or changed."""
    one, other = await member(admin, password=None), await member(admin, password=None)
    again = await admin.call("POST", USERS, {"email": one["email"].upper(), "name": "X"})
    assert (again.status, (await change(admin, other, email=one["email"].upper())).status) == (409, 409)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("email", "x"), ("email", "Ada <ada@example.com>"), ("email", "a" * 260 + "@example.com"), ("name", ""),
        ("name", "a\nb"), ("permissions", ["fly"]), ("role", "root"), ("password", "x"),
        ("id", "9f0c3f54-7c3a-4f6e-8f0a-3f5d7c9b1e20"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(admin: User, field: str, wrong: Any) -> None:
    """The field, at its place."""
    answer = await admin.call("POST", USERS, {"email": "x@example.com", "name": "X", field: wrong})
    assert answer.status == 400
    assert [one["path"].partition("[")[0] for one in answer.json["errors"]] == [field]


async def test_a_change_needs_the_version_that_was_read(admin: User) -> None:
    """428 without, 412 with one of before; the answer has the next."""
    made = await member(admin, password=None)
    path = f"{USERS}/{made['id']}"
    assert (await admin.call("PATCH", path, {"name": "Grace"})).status == 428
    changed = await admin.call("PATCH", path, {"name": "Grace"}, headers={"If-Match": '"1"'})
    assert (changed.status, changed.json["name"], changed.headers["ETag"]) == (200, "Grace", '"2"')
    assert (await admin.call("PATCH", path, {"name": "Joan"}, headers={"If-Match": '"1"'})).status == 412


async def test_a_role_counts_within_seconds(api: Api, admin: User, log: Log) -> None:
    """For who is signed in, who has to sign in again, and for their workflows, which run without them."""
    made, visitor = await member(admin), Visitor(api)
    await visitor.sign_in(made["email"], PASSWORD)
    assert (await change(admin, made, permissions=["operate"])).status == 200
    api.now[0] += FRESH_S
    assert (await visitor.call("GET", USERS)).status == 403
    assert (await change(admin, made, role="admin")).status == 200
    rows = await log.connection.execute(
        "SELECT role, permissions FROM user_permissions WHERE user_id = %s", (made["id"],)
    )
    assert await rows.fetchall() == [("admin", ["operate"])]
    api.now[0] += FRESH_S
    assert (await visitor.call("GET", USERS)).status == 401
    await visitor.sign_in(made["email"], PASSWORD)
    assert (await visitor.call("GET", USERS)).status == 200


async def test_who_is_disabled_is_out_whatever_they_bring(api: Api, admin: User) -> None:
    """Session, bearer token, password: 401 within seconds; enabled again the token holds, the session does not."""
    made, visitor = await member(admin), Visitor(api)
    await visitor.sign_in(made["email"], PASSWORD)
    by_token = User(api.client, mint_token(api.settings, UUID(made["id"]), "user", 600))
    assert (
        (await visitor.call("GET", "/api/v1/workflows")).status,
        (await by_token.call("GET", "/api/v1/session")).status,
    ) == (200, 200)
    await change(admin, made, disabled=True)
    api.now[0] += FRESH_S
    assert (await visitor.call("GET", "/api/v1/workflows")).status == 401
    refused = await by_token.call("GET", "/api/v1/session")
    assert (refused.status, refused.json["detail"]) == (401, "the user is disabled")
    await change(admin, made, disabled=False)
    api.now[0] += FRESH_S
    assert (await by_token.call("GET", "/api/v1/session")).status == 200
    assert (await visitor.call("GET", "/api/v1/workflows")).status == 401


@pytest.mark.parametrize("granted", [("admin", []), ("user", ["operate", "events:write"])], ids=str)
async def test_a_bearer_token_grants_no_more_than_its_user_may_now(
    api: Api, admin: User, log: Log, granted: tuple[Role, list[Permission]]
) -> None:
    """Made when they might more: role and permissions are taken from it, and from their workflows."""
    role, permissions = granted
    made = await member(admin, role, None)
    await change(admin, made, permissions=permissions)
    by_token = User(api.client, mint_token(api.settings, UUID(made["id"]), role, 600, permissions))
    calls = ("GET", "/api/v1/dead-letters"), ("GET", USERS)
    before = [(await by_token.call(*call)).status for call in calls]
    assert before == [200, 200 if role == "admin" else 403]
    await change(admin, made, role="user", permissions=["events:write"])
    assert (await by_token.call("GET", "/api/v1/workflows")).status == 200  # by what was known a moment ago
    noted = "SELECT role, permissions <@ '{events:write}' FROM user_permissions WHERE user_id = %s"
    assert await (await log.connection.execute(noted, (made["id"],))).fetchall() == [("user", True)]
    api.now[0] += FRESH_S
    assert [(await by_token.call(*call)).status for call in calls] == [403, 403]
    said = (await by_token.call("GET", "/api/v1/session")).json
    assert (said["role"], "operate" in said["permissions"]) == ("user", False)


async def test_a_token_that_grants_less_stays_as_it_is(api: Api, admin: User) -> None:
    """A script's token for reading, of an administrator: it is no administrator's for that."""
    made = await member(admin, "admin", None)
    by_token = User(api.client, mint_token(api.settings, UUID(made["id"]), "user", 600))
    assert (await by_token.call("GET", USERS)).status == 403


async def test_a_token_of_who_was_deleted_does_not_hold(api: Api, admin: User, log: Log) -> None:
    """Nor a second later in another process; who comes back under the same id is a user again."""
    made = await member(admin, "admin", None)
    by_token = User(api.client, mint_token(api.settings, UUID(made["id"]), "admin", 600))
    assert (await by_token.call("GET", USERS)).status == 200
    assert (await admin.call("DELETE", f"{USERS}/{made['id']}")).status == 204
    assert (await by_token.call("GET", "/api/v1/workflows")).status == 200  # by what was known a moment ago
    api.now[0] += FRESH_S
    refused = await by_token.call("GET", "/api/v1/session")
    assert (refused.status, refused.json["detail"]) == (401, "the user is deleted")
    noted = "SELECT role, gone_at IS NOT NULL FROM user_permissions WHERE user_id = %s"
    assert await (await log.connection.execute(noted, (made["id"],))).fetchall() == [("user", True)]
    await log.connection.execute(
        "INSERT INTO users (id, email, name, role) VALUES (%s, %s, 'Ada', 'user')", (made["id"], made["email"])
    )
    api.now[0] += FRESH_S
    assert [(await by_token.call("GET", path)).status for path in ("/api/v1/workflows", USERS)] == [200, 403]


async def test_people_see_themselves_alone(api: Api, admin: User) -> None:
    """Not the list, and nobody else, whose password they cannot set either."""
    made, other, visitor = await member(admin), await member(admin), Visitor(api)
    await visitor.sign_in(made["email"], PASSWORD)
    assert (await visitor.call("GET", f"{USERS}/{made['id']}")).json["email"] == made["email"]
    assert (await visitor.call("GET", f"{USERS}/{other['id']}")).status == 404
    password = {"password": "another four words nobody guesses"}
    assert (await visitor.call("POST", f"{USERS}/{other['id']}/password", password)).status == 404
    assert (await visitor.call("PATCH", f"{USERS}/{made['id']}", {"role": "admin"}, If_Match="*")).status == 403


@pytest.fixture
async def alone(settings: Settings, postgres: str, migrated_template: str) -> AsyncIterator[tuple[Api, str]]:
    """An API without any users, and its database."""
    with new_database(postgres, template=migrated_template) as url:
        own = settings.model_copy(update={"database_url": SecretStr(as_role(url, DatabaseRole.API))})
        async with serving(own) as api:
            yield api, url


async def test_the_last_administrator_cannot_be_taken_away(alone: tuple[Api, str]) -> None:
    """Not disabled, not deleted, not made a user, not by two at once, not by SQL."""
    api, url = alone
    admin = api.user("admin")
    one, other = await member(admin, "admin", None), await member(admin, "admin", None)
    answers = await asyncio.gather(change(admin, one, disabled=True), change(admin, other, role="user"))
    assert sorted(answer.status for answer in answers) == [200, 409]
    listed = (await admin.call("GET", f"{USERS}?role=admin&disabled=false")).json["items"]
    (last,) = listed
    gone = await admin.call("DELETE", f"{USERS}/{last['id']}")
    assert (gone.status, "last administrator" in gone.json["detail"]) == (409, True)
    assert (await change(admin, last, name="Still here")).status == 200
    async with await psycopg.AsyncConnection.connect(url) as connection:
        with pytest.raises(psycopg.Error, match="last administrator"):
            await connection.execute("DELETE FROM users")


async def test_who_is_deleted_leaves_what_they_own(api: Api, admin: User, log: Log) -> None:
    """Their session ends, their e-mail is free, their workflow is there, with what every user may."""
    made, visitor = await member(admin, "admin"), Visitor(api)
    await member(admin, "admin", None)
    await visitor.sign_in(made["email"], PASSWORD)
    workflow = await User(api.client, mint_token(api.settings, UUID(made["id"]), "admin", 600)).create()
    assert (await admin.call("DELETE", f"{USERS}/{made['id']}")).status == 204
    assert (await admin.call("DELETE", f"{USERS}/{made['id']}")).status == 404
    api.now[0] += FRESH_S
    assert (await visitor.call("GET", "/api/v1/session")).status == 401
    assert (await admin.call("GET", f"/api/v1/workflows/{workflow['id']}")).status == 200
    assert (await admin.call("POST", USERS, {"email": made["email"], "name": "X"})).status == 201
    rows = await log.connection.execute("SELECT role FROM user_permissions WHERE user_id = %s", (made["id"],))
    assert await rows.fetchall() == [("user",)]
