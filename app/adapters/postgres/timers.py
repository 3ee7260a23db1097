"""Timers in Postgres: set in the transaction of what they wait for, fired by whichever scheduler locks them first.

What waits for a circuit breaker is let go by :mod:`app.adapters.postgres.releases`, what waits for its owner's quota by
:mod:`app.adapters.postgres.quota_releases`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from app.adapters.postgres import literals
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.listening import listening_session, notified, unreachable
from app.adapters.postgres.pool import Pool, persistently
from app.ports import Record, Refusal, Timer, owner_header, owner_of
from app.ports.due_timers import DueTimer, TimerSession
from app.ports.outbox import Bounds

CHANNEL: Final = "headrace_timers"

_INSERT: Final = """
INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, destination, due, deadline,
  topic, key, value, owner)
SELECT command_id, execution_id, workflow_id, entity, step, kind, reason, destination,
  CASE WHEN asked IS NULL THEN due ELSE statement_timestamp() + (due - asked) END, deadline, topic, key, value, owner
FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::text[], %s::text[], %s::text[],
  %s::timestamptz[], %s::timestamptz[], %s::text[], %s::bytea[], %s::bytea[], %s::uuid[], %s::timestamptz[])
  AS t (command_id, execution_id, workflow_id, entity, step, kind, reason, destination, due, deadline, topic, key,
    value, owner, asked)
ORDER BY command_id
"""
_SET: Final = (
    _INSERT
    + """ON CONFLICT (command_id) DO UPDATE SET kind = excluded.kind, reason = excluded.reason,
  destination = excluded.destination, due = excluded.due, deadline = excluded.deadline,
  topic = excluded.topic, key = excluded.key, value = excluded.value, owner = excluded.owner,
  set_aside = NULL, set_aside_at = NULL, error = NULL
"""
)
# Of a copy of an event that came before: its command was begun, or cancelled, and is not to wait again.
# A subquery with a limit is looked up by its key for each row, however a join would be planned.
_NONE: Final = "WHERE (SELECT true FROM receipts r WHERE r.command_id = t.command_id LIMIT 1) IS NULL\n"
_SET_NEW: Final = _INSERT.replace("ORDER BY", f"{_NONE}ORDER BY") + "ON CONFLICT (command_id) DO NOTHING"
# A batch is bounded in bytes too; what is locked and does not fit is free again at the end of the transaction.
BOUNDED: Final[LiteralString] = """
WITH due AS MATERIALIZED ({due})
SELECT command_id, topic, key, value, owner, late FROM (
  SELECT *, sum(size) OVER (ORDER BY place) - size AS before FROM (
    SELECT *, row_number() OVER () AS place, octet_length(key) + octet_length(value) AS size FROM due) AS placed
  ) AS counted
WHERE before < %s ORDER BY place
"""
# What waits for a breaker or a quota is let go elsewhere; in the same words it is left out of an index.
DUE: Final[LiteralString] = BOUNDED.format(
    due="""
SELECT command_id, topic, key, value, owner, extract(epoch FROM now() - due)::float8 AS late FROM timers
WHERE due <= now() AND kind <> 'circuit' AND kind <> 'quota' ORDER BY due LIMIT %s FOR UPDATE SKIP LOCKED"""
)
_DELETE: Final = "DELETE FROM timers WHERE command_id = ANY(%s::uuid[])"
_SET_ASIDE: Final = """
UPDATE timers SET due = now() + %(by)s::interval,
  deadline = CASE WHEN deadline IS NOT NULL THEN greatest(deadline, now() + %(by)s::interval) END,
  set_aside = (%(reasons)s::text[])[array_position(%(ids)s::uuid[], command_id)],
  error = (%(errors)s::text[])[array_position(%(ids)s::uuid[], command_id)], set_aside_at = now()
WHERE command_id = ANY(%(ids)s::uuid[])
"""
NEXT: Final = """
SELECT extract(epoch FROM min(due) - now())::float8 FROM timers WHERE kind <> 'circuit' AND kind <> 'quota'
"""


class PostgresTimers:
    """Sets timers over one connection, in the caller's transaction; implements ``app.ports.Timers``."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def set(self, timers: Sequence[Timer]) -> None:
        """Set timers in one statement.

        Raises:
            psycopg.Error: None is set, once the caller's transaction is rolled back.
        """
        if timers:
            await self._connection.execute(_SET, _columns(timers))


class PostgresParking:
    """Implements ``app.ports.Parking``. Outages of Postgres are waited out inside.

    Args:
        pool: The process's pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def park(self, timers: Sequence[Timer]) -> None:
        """Set timers of commands that have none and were not begun or cancelled."""
        columns = _columns(timers)

        async def run() -> None:
            async with self._pool.connection() as connection:
                await connection.execute(_SET_NEW, columns)

        await persistently(run)


class PostgresTimerStore:
    """Where schedulers find timers; implements ``app.ports.due_timers.TimerStore``.

    Args:
        database_url: Any libpq connection string.
        name: What Postgres shows as ``application_name``.
    """

    def __init__(self, database_url: str, *, name: str = "headrace timers") -> None:
        self._database_url = database_url
        self._name = name

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TimerSession]:
        """Open a connection that listens for timers set sooner than the ones that are waited for."""
        async with listening_session(self._database_url, DatabaseRole.SCHEDULER, self._name, CHANNEL) as connection:
            yield PostgresTimerSession(connection)


class PostgresTimerSession:
    """Implements ``app.ports.due_timers.TimerSession`` over a connection that listens."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def fire(self, bounds: Bounds, send: Callable[[Sequence[DueTimer]], Awaitable[Sequence[DueTimer]]]) -> int:
        """Fire what is due; see :class:`app.ports.due_timers.TimerSession`."""
        with unreachable("the timers"):
            async with self._connection.transaction():
                due = await self._due(bounds)
                if due:
                    sent = await send(due)
                    await self._connection.execute(_DELETE, ([timer.command_id for timer in sent],))
        return len(due)

    async def _due(self, bounds: Bounds) -> Sequence[DueTimer]:
        """Lock what may be fired now, in the caller's transaction."""
        return await self._read(DUE, (bounds.rows, bounds.size))

    async def _read(self, query: LiteralString, params: Sequence[Any]) -> list[DueTimer]:
        """Read timers off a query for their command id, topic, key, value, owner and seconds since they were due."""
        rows = await (await self._connection.execute(query, params)).fetchall()
        return [DueTimer(row[0], Record(row[1], row[2], row[3], owner_header(row[4])), row[5]) for row in rows]

    async def set_aside(self, refused: Sequence[tuple[DueTimer, Refusal]], by: timedelta) -> None:
        """Set timers to a later time, and note why their records were refused."""
        columns = {
            "by": by,
            "ids": [timer.command_id for timer, _ in refused],
            "reasons": [why.reason for _, why in refused],
            "errors": [why.detail for _, why in refused],
        }
        with unreachable("the timers"):
            await self._connection.execute(_SET_ASIDE, columns)

    async def next_due(self) -> float | None:
        """Return the seconds until the next timer is due."""
        with unreachable("the timers"):
            row = await (await self._connection.execute(NEXT)).fetchone()
        seconds: float | None = row[0] if row else None
        return seconds

    async def wait(self, within: float) -> None:
        """Wait for a notification."""
        with unreachable("the timers"):
            await notified(self._connection, within)


def _columns(timers: Sequence[Timer]) -> tuple[object, ...]:
    return (
        literals.uuids(t.command_id for t in timers),
        literals.uuids(t.execution_id for t in timers),
        literals.uuids(t.workflow_id for t in timers),
        literals.texts(t.entity for t in timers),
        literals.integers(t.step for t in timers),
        literals.texts(t.kind for t in timers),
        literals.texts(t.reason for t in timers),
        literals.texts(t.destination for t in timers),
        literals.timestamps(t.due for t in timers),
        literals.timestamps(t.deadline for t in timers),
        literals.texts(t.record.topic for t in timers),
        literals.byte_strings(t.record.key for t in timers),
        literals.byte_strings(t.record.value for t in timers),
        literals.uuids(_owner(t.record) for t in timers),
        literals.timestamps(t.asked for t in timers),
    )


def _owner(record: Record) -> UUID | None:
    owner = owner_of(record)
    return UUID(bytes=owner) if owner is not None else None
