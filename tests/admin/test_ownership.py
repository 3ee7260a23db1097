"""Whose workflows a caller sees and changes, held by row level security and by nothing else."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import text

from app.adapters.postgres.api_engine import ApiDatabase
from app.domain.callers import Caller
from app.domain.errors import InvalidError, NotPermittedError
from app.processes.admin_services import assemble
from app.settings import Settings
from tests.admin.conftest import Api, User, draft
from tests.support.depths import MemoryDepths
from tests.support.sender import MemorySender

ROOT = "/api/v1/workflows"


async def test_a_workflow_is_its_creators(user: User, admin: User) -> None:
    """Property 26: whoever creates it owns it, an admin too; nobody can create in another's name."""
    assert (await user.create())["created_by"] == str(user.id)
    assert (await admin.create())["created_by"] == str(admin.id)
    answer = await user.call("POST", ROOT, draft(created_by=str(admin.id)))
    assert [error["path"] for error in answer.json["errors"]] == ["created_by"]


@examples(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=st.lists(st.integers(0, 3), min_size=2, max_size=3))
async def test_users_list_their_own_and_admins_everything(api: Api, counts: list[int]) -> None:
    """Properties 27 and 28: a user's list holds exactly their own workflows, an admin's holds everybody's."""
    users = [api.user() for _ in counts]
    made = [[(await user.create())["id"] for _ in range(count)] for user, count in zip(users, counts, strict=True)]
    for user, ids in zip(users, made, strict=True):
        assert sorted(await listed(user)) == sorted(ids)
    assert {one for ids in made for one in ids} <= set(await listed(api.user("admin")))


async def listed(user: User) -> list[str]:
    """The ids of everything a user can list."""
    ids: list[str] = []
    path = f"{ROOT}?limit=200"
    while True:
        page = (await user.call("GET", path)).json
        ids += [workflow["id"] for workflow in page["items"]]
        if page["next_cursor"] is None:
            return ids
        path = f"{ROOT}?limit=200&cursor={page['next_cursor']}"


async def test_another_users_workflow_is_not_there(api: Api, user: User) -> None:
    """Every way to a foreign workflow ends in the same 404 as one that never was."""
    workflow = await user.create()
    other = api.user()
    path = f"{ROOT}/{workflow['id']}"
    for method, address, options in (
        ("GET", path, {}),
        ("GET", f"{path}/revisions", {}),
        ("PUT", path, {"json": draft(name="Mine"), "headers": {"If-Match": "*"}}),
        ("PATCH", path, {"json": {"name": "Mine"}, "headers": {"If-Match": "*"}}),
        ("POST", f"{path}/activate", {}),
        ("POST", f"{path}/deactivate", {}),
        ("DELETE", path, {}),
    ):
        assert (await other.call(method, address, **options)).status == 404, (method, address)
    assert (await user.call("GET", path)).json == workflow


async def test_an_admin_changes_anybodys_workflow(user: User, admin: User) -> None:
    """An admin's change leaves the owner who they are."""
    workflow = await user.create()
    answer = await admin.call("PUT", f"{ROOT}/{workflow['id']}", draft(name="Fixed"), headers={"If-Match": '"1"'})
    assert (answer.status, answer.json["name"], answer.json["created_by"]) == (200, "Fixed", str(user.id))


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[ApiDatabase]:
    """The API's own pool, with a single connection."""
    database = ApiDatabase(settings.model_copy(update={"pool_size": 1}))
    yield database
    await database.close()


FOREIGN = [
    "UPDATE automations SET name = 'x'",
    "SELECT * FROM automations",
    "SELECT * FROM automation_revisions",
    "SELECT * FROM automations WHERE id = '{id}' FOR UPDATE",
]
FORBIDDEN = [
    "DELETE FROM automations",
    "UPDATE automations SET created_by = auth.uid()",
    "UPDATE automation_revisions SET version = 9",
    "SELECT * FROM outbox",
    "DELETE FROM outbox",
    "INSERT INTO outbox (topic, key, value) VALUES ('headrace.executions', '{id}', '')",
    (
        "INSERT INTO automation_logs (automation_id, trigger_event, conditions_met, status) SELECT id, '{{}}', true, ''"
        " FROM automations"
    ),
    "SELECT * FROM receipts",
    "SELECT * FROM execution_keys",
    "SELECT * FROM dead_letters",
    "SELECT * FROM crm.tags",
    "SELECT * FROM auth.users",
    "INSERT INTO auth.users (id) VALUES (gen_random_uuid())",
    "ALTER TABLE automations DISABLE ROW LEVEL SECURITY",
    "CREATE TABLE mine (id int)",
]


@pytest.mark.parametrize("statement", FOREIGN)
async def test_raw_sql_as_the_apis_role_meets_no_foreign_row(pool: ApiDatabase, user: User, statement: str) -> None:
    """Whatever SQL runs as the API's role, rows of others are not there: no query of ours has to filter them."""
    workflow = await user.create()
    stranger = Caller(UUID(int=7), "user")
    async with pool.reading(stranger) as connection:
        result = await connection.execute(text(statement.format(id=workflow["id"])))
        assert (result.all() if result.returns_rows else result.rowcount) in ([], 0)
    async with pool.reading(Caller(user.id, "user")) as connection:
        seen = await connection.execute(text("SELECT name, created_by FROM automations"))
        assert seen.all() == [("Big order", user.id)]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_raw_sql_as_the_apis_role_is_forbidden_what_is_not_its_own(
    pool: ApiDatabase, user: User, statement: str
) -> None:
    """The engine's tables, other people's ids and the policies themselves are out of the role's reach."""
    workflow = await user.create()
    with pytest.raises(NotPermittedError, match=r"^the database does not let this caller do this$"):
        async with pool.writing(Caller(UUID(int=7), "user")) as connection:
            await connection.execute(text(statement.format(id=workflow["id"])))


async def test_rights_end_with_the_transaction(pool: ApiDatabase) -> None:
    """The pool's only connection goes from one caller to the next: nothing of the first is left on it."""
    for number in (1, 2):
        caller = Caller(UUID(int=number), "admin" if number == 1 else "user")
        async with pool.writing(caller) as connection:
            row = (await connection.execute(text("SELECT current_user, current_setting('request.jwt.claims')"))).one()
            assert row[0] == "authenticated"
            assert json.loads(row[1]) == caller.claims


async def test_a_user_is_entered_once(user: User, api_database: str) -> None:
    """The first write enters an unknown user, the next ones find them; a reader is not entered."""
    await user.call("GET", ROOT)
    assert user.id not in await users(api_database)
    await user.create()
    await user.create()
    assert (await users(api_database)).count(user.id) == 1


async def test_where_users_are_made_by_others_an_unknown_one_is_refused(
    pool: ApiDatabase, settings: Settings, user: User, api_database: str
) -> None:
    """As in Supabase: the service may not add users, so a caller who is none cannot own a workflow, and hears it."""
    service = assemble(settings, pool, MemorySender(), MemoryDepths()).workflows
    async with await psycopg.AsyncConnection.connect(api_database, autocommit=True) as connection:
        await connection.execute("REVOKE INSERT (id) ON auth.users FROM headrace_api")
        try:
            with pytest.raises(InvalidError, match=r"auth\.users"):
                await service.create(Caller(user.id, "user"), draft())
            await connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (user.id,))
            assert (await service.create(Caller(user.id, "user"), draft())).created_by == user.id
        finally:
            await connection.execute("GRANT INSERT (id) ON auth.users TO headrace_api")


async def users(api_database: str) -> list[Any]:
    """Everybody in ``auth.users``."""
    async with await psycopg.AsyncConnection.connect(api_database) as connection:
        return [row[0] for row in await (await connection.execute("SELECT id FROM auth.users")).fetchall()]
