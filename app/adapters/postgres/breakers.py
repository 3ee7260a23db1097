"""Circuit breakers in Postgres: a row for each destination that failed, changed under its lock."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.rows import class_row, scalar_row

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.listening import listening_session, notified, unreachable
from app.adapters.postgres.pool import Pool, persistently
from app.domain.breaker import BreakerState
from app.ports import BreakerWatch, Transition

CHANNEL: Final = "headrace_breakers"

_COLUMNS: Final = "closed, until, reason, probes, successes, probing_since"
_ENSURE: Final = "INSERT INTO breakers (destination) VALUES (%s) ON CONFLICT DO NOTHING"
_LOCK: Final = f"SELECT {_COLUMNS} FROM breakers WHERE destination = %s FOR UPDATE"  # noqa: S608 - constants only
_NOW: Final = "SELECT clock_timestamp()"
_SAVE: Final = """
UPDATE breakers SET closed = %s, until = %s, reason = %s, probes = %s, successes = %s, probing_since = %s
WHERE destination = %s
"""
_NOT_CLOSED: Final = f"SELECT destination, {_COLUMNS} FROM breakers WHERE NOT closed"  # noqa: S608 - constants only

# Circuits that hold something up, of ``breakers b``: open ones, and half-open ones while commands wait for their turn.
# One whose time is over lets the next command through as a probe: with none there it holds nothing up, and nobody knows
# whether its destination still fails. Every place that tells what is left alone tells of these.
HOLDING_UP: Final = """
(NOT b.closed AND (b.until > now() OR (
  SELECT t.kind FROM timers t WHERE t.kind = 'circuit' AND t.destination = b.destination LIMIT 1
) IS NOT NULL))
"""


class PostgresBreakers:
    """Implements ``app.ports.BreakerStore``.

    Args:
        pool: The process's pool, for transitions.
        database_url: Where to listen for those of others, over a connection of its own.
        name: What Postgres shows of that as ``application_name``.
    """

    def __init__(self, pool: Pool, database_url: str, *, name: str = "headrace breakers") -> None:
        self._pool = pool
        self._database_url = database_url
        self._name = name

    async def change(self, destination: str, transition: Transition) -> tuple[BreakerState | None, datetime]:
        """Change a breaker under its row's lock. One that was never seen is a closed row from then on."""

        async def run() -> tuple[BreakerState | None, datetime]:
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(_ENSURE, (destination,))
                async with connection.cursor(row_factory=class_row(BreakerState)) as cursor:
                    before = await (await cursor.execute(_LOCK, (destination,))).fetchone()
                now = await _time(connection)
                after = transition(before, now)
                if after is not None and after != before:
                    await connection.execute(_SAVE, (*_values(after), destination))
                return after, now

        return await persistently(run)

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[BreakerWatch]:
        """Listen on a connection of its own."""
        async with listening_session(self._database_url, DatabaseRole.EXECUTOR, self._name, CHANNEL) as connection:
            yield _Watch(connection)


class _Watch:
    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def look(self) -> tuple[Mapping[str, BreakerState], datetime]:
        with unreachable("the circuit breakers"):
            now = await _time(self._connection)
            rows = await (await self._connection.execute(_NOT_CLOSED)).fetchall()
        return {row[0]: BreakerState(*row[1:]) for row in rows}, now

    async def changed(self, within: float) -> None:
        with unreachable("the circuit breakers"):
            await notified(self._connection, within)


async def _time(connection: psycopg.AsyncConnection[Any]) -> datetime:
    async with connection.cursor(row_factory=scalar_row) as cursor:
        (now,) = await (await cursor.execute(_NOW)).fetchall()
    assert isinstance(now, datetime)
    return now


def _values(state: BreakerState) -> tuple[Any, ...]:
    return (state.closed, state.until, state.reason, state.probes, state.successes, state.probing_since)
