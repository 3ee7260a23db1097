"""A Postgres that keeps its connections and says nothing holds up no process for ever without a word."""

from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest
from pydantic import SecretStr

from app.adapters.postgres.answering import AnsweringConnection
from app.adapters.postgres.database_roles import DatabaseRole, check_login
from app.adapters.postgres.installation import look_at_postgres
from app.adapters.postgres.listening import listening_session, notified
from app.adapters.postgres.pool import open_pool, ping
from app.domain.errors import UnreachableError
from app.settings import Settings
from tests.support.logins import as_role
from tests.support.silence import Between, between
from tests.support.waiting import in_time

SOON_S = 20


@pytest.fixture
async def way(database: str) -> AsyncIterator[Between]:
    """The scheduler's way to Postgres."""
    async with between(as_role(database, DatabaseRole.SCHEDULER)) as way:
        yield way


async def test_a_pool_gives_a_silent_connection_up(way: Between) -> None:
    """It is an outage, which is waited out: the next connection is a new one."""
    settings = Settings(DATABASE_URL=SecretStr(way.url), pool_size=1)
    async with open_pool(settings, DatabaseRole.SCHEDULER, answers_within_s=0.5) as pool:

        async def ask() -> None:
            async with pool.connection() as connection, connection.transaction():
                way.fall_silent()
                await connection.execute("SELECT 1")

        with pytest.raises(psycopg.OperationalError, match=r"has not answered within 0\.5 s"):
            await in_time(ask(), SOON_S, what="its end")
        way.speak()
        async with pool.connection() as connection:
            await connection.execute("SELECT 1")


async def test_who_listens_to_a_silent_server_hears_of_it(way: Between) -> None:
    """Waiting for notifications keeps its own time; the question after it has a deadline."""
    async with listening_session(way.url, DatabaseRole.SCHEDULER, "test", "nothing") as connection:
        connection.answers_within_s = 0.3
        await notified(connection, 0.5)
        assert not connection.closed
        way.fall_silent()
        with pytest.raises(psycopg.OperationalError, match="has not answered"):
            await in_time(connection.execute("SELECT 1"), SOON_S, what="its end")
        assert connection.closed


@pytest.mark.parametrize(
    "ask",
    [
        lambda url: ping(Settings(DATABASE_URL=SecretStr(url))),
        lambda url: look_at_postgres(url, DatabaseRole.SCHEDULER),
    ],
    ids=["ping", "look"],
)
async def test_a_question_to_a_server_silent_from_the_start_ends(
    way: Between, ask: Callable[[str], Awaitable[object]]
) -> None:
    """The connection is taken, and nothing comes."""
    way.fall_silent()
    with pytest.raises(UnreachableError):
        await in_time(ask(way.url), SOON_S, what="its end")


async def test_a_start_goes_on_where_its_look_at_the_login_is_not_answered(way: Between) -> None:
    """Who opens the pool next says what is wrong."""
    way.fall_silent()
    await in_time(check_login(way.url, DatabaseRole.SCHEDULER), SOON_S, what="its end")


async def test_what_says_how_long_it_waits_is_not_cut_short(way: Between) -> None:
    """Its own time counts, also where that is longer."""
    async with await AnsweringConnection.connect(way.url, autocommit=True) as connection:
        connection.answers_within_s = 0.1
        await notified(connection, 0.5)
        assert not connection.closed
