"""A user's inbox through the API."""

from typing import Any
from uuid import UUID, uuid4

import psycopg

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.inbox import PostgresInbox
from app.ports import Notice
from tests.admin.conftest import Api, User
from tests.support.deadlines import scaled
from tests.support.logins import pool_of

ROOT = "/api/v1/notifications"


async def put(database: str, user: UUID, *titles: str) -> list[str]:
    """Put notices into a user's inbox; returns their ids."""
    notices = [Notice(uuid4(), user, title, "b", uuid4(), uuid4()) for title in titles]
    async with pool_of(database, DatabaseRole.EXECUTOR) as pool:
        for notice in notices:
            await PostgresInbox(pool.connection).put(notice, within=scaled(5))
    return [str(notice.id) for notice in notices]


async def listed(user: User, **query: str) -> list[Any]:
    """All that a user can list, page by page."""
    found: list[Any] = []
    params = {"limit": "2", **query}
    while True:
        page = (await user.call("GET", ROOT, params=params)).json
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


async def test_a_user_lists_their_own_newest_first(api: Api, user: User, api_database: str) -> None:
    """Page by page; nobody else sees them, an admin neither."""
    ids = await put(api_database, user.id, *"abcde")
    assert [(one["id"], one["title"]) for one in await listed(user)] == list(zip(ids, "abcde", strict=True))[::-1]
    for other in (api.user(), api.user("admin")):
        assert await listed(other) == []


async def test_what_was_read_is_read_once(api: Api, user: User, api_database: str) -> None:
    """It leaves the unread ones and keeps the time of the first reading; another's cannot be marked."""
    first, second = await put(api_database, user.id, "a", "b")
    assert (await api.user("admin").call("POST", f"{ROOT}/{first}/read")).status == 404
    marked = await user.call("POST", f"{ROOT}/{first}/read")
    assert (marked.status, marked.json["id"], marked.json["read_at"] is None) == (200, first, False)
    assert (await user.call("POST", f"{ROOT}/{first}/read")).json == marked.json
    assert [one["id"] for one in await listed(user, unread="true")] == [second]
    assert len(await listed(user)) == 2
    for missing in (str(uuid4()), "x"):
        assert (await user.call("POST", f"{ROOT}/{missing}/read")).status == 404


async def test_the_words_are_not_the_users_to_change(user: User, api_database: str) -> None:
    """Row level security lets a user set read_at of their own, and nothing else."""
    await put(api_database, user.id, "a")
    async with await psycopg.AsyncConnection.connect(api_database) as connection:
        await connection.execute("SET LOCAL ROLE authenticated")
        claims = f'{{"sub": "{user.id}"}}'
        await connection.execute("SELECT set_config('request.jwt.claims', %s, true)", (claims,))
        changed = await connection.execute("UPDATE notifications SET read_at = now()")
        assert changed.rowcount == 1
        refused = False
        try:
            await connection.execute("UPDATE notifications SET title = 'x'")
        except psycopg.errors.InsufficientPrivilege:
            refused = True
    assert refused
