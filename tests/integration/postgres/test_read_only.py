"""A Postgres that takes no writes, as a standby does, is an outage to the API: asked again later, no mistake."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from app.adapters.postgres.api_engine import ApiDatabase
from app.domain.errors import UnreachableError
from tests.support.logins import api_of
from tests.support.postgres import database_name


@pytest.fixture
async def read_only(database: str) -> AsyncIterator[ApiDatabase]:
    """The API's pool on it."""
    with psycopg.connect(database, autocommit=True) as administrator:
        named = sql.Identifier(database_name(database))
        administrator.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(named))
    api = api_of(database)
    yield api
    await api.close()


async def test_a_write_that_is_refused_to_everybody_is_an_outage(read_only: ApiDatabase) -> None:
    """Not an error of ours: the caller is told to come again."""
    with pytest.raises(UnreachableError, match="ReadOnlySqlTransaction"):
        async with read_only.serving() as connection:
            await connection.execute(text("DELETE FROM outbox"))


async def test_so_it_is_by_the_drivers_own_connection(read_only: ApiDatabase) -> None:
    """As for what is written in one statement."""
    with pytest.raises(UnreachableError, match="ReadOnlySqlTransaction"):
        async with read_only.driver() as connection:
            await connection.execute("DELETE FROM outbox")


async def test_a_statement_that_is_wrong_is_our_mistake_still(read_only: ApiDatabase) -> None:
    """Whatever the state of the server."""
    with pytest.raises(psycopg.errors.UndefinedTable):
        async with read_only.driver() as connection:
            await connection.execute("SELECT 1 FROM no_such_table")
