"""As which role a transaction's statements run: until it ends, or for a block of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.database_roles import CALLERS, DatabaseRole


def act_as(role: str) -> str:
    """Return the statement from which on a transaction runs as a role."""
    return f"SET LOCAL ROLE {role}"


async def go_on_as_api(connection: AsyncConnection) -> None:
    """Run what follows in a caller's transaction as the API itself."""
    await connection.execute(text(act_as(DatabaseRole.API)))


@asynccontextmanager
async def acting_as_api(connection: AsyncConnection) -> AsyncIterator[None]:
    """Run a block of a caller's transaction as the API itself: it reads and writes what callers may not.

    What fails in the block ends the transaction, and with it the role.
    """
    await go_on_as_api(connection)
    yield
    await connection.execute(text(act_as(CALLERS)))
