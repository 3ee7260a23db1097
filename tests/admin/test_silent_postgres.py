"""A Postgres that keeps its connections and says nothing: the API says so soon, and goes on when it answers again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from app.adapters.postgres.api_engine import ApiDatabase
from app.domain.errors import UnreachableError
from app.settings import Settings
from tests.admin.conftest import Api, serving
from tests.support.sessions import SignedIn, signed_in
from tests.support.silence import Between, between
from tests.support.waiting import in_time

# The pool's ping gives up after 3 s, a new connection after 5 s, a statement 3 s after Postgres should have ended it.
SOON_S = 12


@pytest.fixture
async def way(settings: Settings) -> AsyncIterator[Between]:
    """The way to Postgres."""
    async with between(settings.database_url.get_secret_value()) as way:
        yield way


@pytest.fixture
async def through(way: Between, settings: Settings) -> AsyncIterator[Api]:
    """An API that reaches Postgres that way, and has done so."""
    async with serving(settings.model_copy(update={"database_url": SecretStr(way.url)})) as api:
        assert (await api.user().call("GET", "/api/v1/workflows")).status == 200
        yield api
        way.speak()


async def shown(api: Api, who: SignedIn, path: str) -> tuple[int, str]:
    """A page, as a browser gets it."""
    async with api.client.get(path, headers=who.cookie, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def test_requests_to_a_silent_postgres_are_503_soon(through: Api, way: Between, api_database: str) -> None:
    """Of the API and of pages, more at once than the pool has connections; and then they work without a restart."""
    user, visitor = through.user(), await signed_in(api_database, through.settings, "admin")
    assert (await shown(through, visitor, "/"))[0] == 200
    way.fall_silent()
    asked = [user.call("GET", "/api/v1/workflows") for _ in range(through.settings.pool_size + 2)]
    page = asyncio.create_task(shown(through, visitor, "/"))
    answers = await in_time(asyncio.gather(*asked), SOON_S, what="every answer")
    status, text = await in_time(page, SOON_S, what="the page")
    assert {answer.status for answer in answers} == {503}
    assert answers[0].headers["Retry-After"]
    assert status == 503
    assert "A system behind Headrace does not answer" in text
    way.speak()
    assert (await user.call("GET", "/api/v1/workflows")).status == 200
    assert (await shown(through, visitor, "/"))[0] == 200


async def test_a_statement_that_is_never_answered_ends(way: Between, settings: Settings) -> None:
    """It had begun when the server fell silent, which can keep no time limit of its own then."""
    database = ApiDatabase(settings.model_copy(update={"database_url": SecretStr(way.url)}), statement_within_ms=200)

    async def ask() -> None:
        async with database.driver() as connection:
            way.fall_silent()
            await connection.execute("SELECT 1")

    with pytest.raises(UnreachableError):
        await in_time(ask(), SOON_S, what="its end")
    way.speak()
    await database.ping()
    await database.close()


async def test_a_read_in_parts_ends_where_a_part_stays_away(way: Between, settings: Settings) -> None:
    """As exports read; what was read before has come."""
    database = ApiDatabase(settings.model_copy(update={"database_url": SecretStr(way.url)}), statement_within_ms=200)
    rows = []

    async def ask() -> None:
        async with database.driver() as connection, connection.cursor("parts") as cursor:
            cursor.itersize = 10
            await cursor.execute("SELECT generate_series(1, 100)")
            async for (row,) in cursor:
                rows.append(row)
                way.fall_silent()

    with pytest.raises(UnreachableError):
        await in_time(ask(), SOON_S, what="its end")
    assert rows == list(range(1, 11))
    way.speak()
    await database.close()
