"""Connections that listen for what others write, and saying that Postgres is away."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from app.adapters.postgres.answering import AnsweringConnection
from app.adapters.postgres.bisect import is_refusal
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.pool import PLANNER
from app.domain.errors import UnreachableError

_CONNECT: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
# A holder whose machine vanishes loses the lock after 25 s, not after two hours; and waiting for it has no limit.
_SESSION: Final = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_session_timeout": "0",
    # A scheduler frozen while it sends must not keep its timers locked for ever; a broker may take 10 s to confirm.
    "idle_in_transaction_session_timeout": "60s",
    **PLANNER,
}


@asynccontextmanager
async def session(database_url: str, role: DatabaseRole, name: str) -> AsyncIterator[AnsweringConnection]:
    """Open a connection of its own that acts as a role, without a transaction.

    Args:
        database_url: Any libpq connection string.
        role: The process's database role.
        name: What Postgres shows as ``application_name``.

    Raises:
        UnreachableError: Postgres does not answer.
    """
    with unreachable(name):
        connection = await AnsweringConnection.connect(database_url, autocommit=True, application_name=name, **_CONNECT)
    try:
        with unreachable(name):
            for setting, value in {"role": role.value, **_SESSION}.items():
                await connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def listening_session(
    database_url: str, role: DatabaseRole, name: str, channel: str
) -> AsyncIterator[AnsweringConnection]:
    """As ``session``, listening to a channel of NOTIFY."""
    async with session(database_url, role, name) as connection:
        with unreachable(name):
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        yield connection


async def notified(connection: psycopg.AsyncConnection[Any], within: float) -> None:
    """Return when a listening connection is notified, after ``within`` seconds at the latest."""
    # To its end: a generator left half-way would keep the connection locked.
    async for _ in connection.notifies(timeout=within, stop_after=1):
        pass


@contextmanager
def unreachable(what: str) -> Iterator[None]:
    """Say that Postgres does not serve ``what``, instead of how it failed; a row's own fault passes as it is."""
    try:
        yield
    except psycopg.Error as error:
        if is_refusal(error):
            raise
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UnreachableError(f"Postgres does not serve {what} ({reason})") from error
