"""Leading a duty that one scheduler has at a time: by a lock that only the scheduler's role can take.

An advisory lock could be taken by all who can log in. This one is on a view that is there for nothing else: a view is
never vacuumed, and the transaction that locks it reads nothing and writes nothing, so that it may stay open for months
and keeps no row from being cleaned up. It ends with the connection: Postgres itself hands the duty to the next.

The lock has a connection of its own, because notifications are delivered between transactions only. The leader
looks whether it still holds before it acts on what it read.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, Final

import psycopg
from psycopg import sql

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.listening import listening_session, session, unreachable


class Duty(StrEnum):
    """What one scheduler leads; the value is the view that it locks."""

    RELAY = "relay_leader"
    CIRCUITS = "circuit_leader"
    QUOTAS = "quota_leader"
    ALERTS = "alert_leader"


# Also where server, database or user set a limit: the transaction is idle for as long as its process leads. (Servers
# before 17 know no transaction_timeout.)
_NO_END: Final = """
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
"""
# Of a stricter level each look would keep a snapshot, and that keeps vacuum back.
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
# The only mode that keeps itself out and that nothing a stranger may do keeps out: a role that may name a relation can
# take up to ROW EXCLUSIVE on it, by preparing a statement that they may not execute.
_LOCK: Final = sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE")


class Leadership:
    """A duty's lock, held.

    Args:
        connection: The connection, in the transaction that holds the lock.
        name: The leader's name, for errors.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any], name: str) -> None:
        self._connection = connection
        self._name = name

    async def confirm(self) -> None:
        """Return if the lock was held without a break until now.

        Raises:
            UnreachableError: It was not, and another process may lead.
        """
        with unreachable(self._name):
            await self._connection.execute("SELECT 1")


@asynccontextmanager
async def leading_session(
    database_url: str, duty: Duty, name: str, channel: str, *, look_again_s: int = 60
) -> AsyncIterator[tuple[psycopg.AsyncConnection[Any], Leadership]]:
    """Wait until no other process leads, then open a connection that listens to a channel.

    Args:
        database_url: Any libpq connection string.
        duty: What to lead.
        name: What Postgres shows as ``application_name``.
        channel: The channel of NOTIFY.
        look_again_s: A process that waits keeps vacuum back, so each wait ends after so long, and the next one begins.

    Raises:
        UnreachableError: Postgres does not answer.
    """
    async with session(database_url, DatabaseRole.SCHEDULER, name) as holder:
        with unreachable(name):
            waits_s, holder.answers_within_s = holder.answers_within_s, look_again_s + holder.answers_within_s
            await holder.execute(_NO_END)
            await holder.execute("SELECT set_config('lock_timeout', %s, false)", (f"{look_again_s}s",))
            while not await _locked(holder, duty):
                await holder.execute("ROLLBACK")
            holder.answers_within_s = waits_s
        async with listening_session(database_url, DatabaseRole.SCHEDULER, name, channel) as connection:
            yield connection, Leadership(holder, name)


async def _locked(holder: psycopg.AsyncConnection[Any], duty: Duty) -> bool:
    await holder.execute(_BEGIN)
    try:
        await holder.execute(_LOCK.format(sql.Identifier("public", duty.value)))
    except psycopg.errors.LockNotAvailable:
        return False
    return True
