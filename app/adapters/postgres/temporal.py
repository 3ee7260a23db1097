"""Due times of temporal triggers and audiences in Postgres."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg

from app.adapters.postgres.listening import unreachable
from app.adapters.postgres.outbox_rows import announce
from app.adapters.postgres.pool import Pool
from app.domain.callers import Caller, known_permissions
from app.domain.errors import ActionFailedError, UnreachableError
from app.metrics.scheduler import TEMPORAL_SKIPPED
from app.ports import CrmReads, Record
from app.ports.temporal import Owned, Planned, Release

_WHAT: Final = "temporal triggers"
# What a round finds, as it takes it and as it is asked beforehand whether there is any.
_IS_ENDED: Final = """
a.id = s.workflow_id AND NOT (a.active AND a.deleted_at IS NULL AND a.trigger_type = s.trigger_type)
"""
_IS_ENDED_AUDIENCE: Final = "a.id = s.workflow_id AND NOT (a.active AND a.deleted_at IS NULL)"
_IS_CHANGED: Final = """
FROM automations a
LEFT JOIN temporal_schedules s ON s.workflow_id = a.id
WHERE a.active AND a.deleted_at IS NULL AND a.trigger_type LIKE 'temporal.%%'
  AND (s.workflow_id IS NULL OR s.trigger_config <> a.trigger_config)
"""
_IS_DUE: Final = "FROM temporal_schedules WHERE due <= %s"
_IS_RELEASED: Final = "FROM temporal_audiences WHERE not_before <= now()"
_PENDING: Final = f"""
SELECT EXISTS (SELECT {_IS_CHANGED}) OR EXISTS (SELECT {_IS_DUE}) OR EXISTS (SELECT {_IS_RELEASED})
  OR EXISTS (SELECT FROM temporal_schedules s JOIN automations a ON {_IS_ENDED})
  OR EXISTS (SELECT FROM temporal_audiences s JOIN automations a ON {_IS_ENDED_AUDIENCE})
"""  # noqa: S608 - of constants
_ENDED: Final = f"DELETE FROM temporal_schedules s USING automations a WHERE {_IS_ENDED}"  # noqa: S608 - of constants
_ENDED_AUDIENCES: Final = f"""
DELETE FROM temporal_audiences s USING automations a WHERE {_IS_ENDED_AUDIENCE}
"""  # noqa: S608 - of constants
_CHANGED: Final = f"""
SELECT a.id, a.trigger_type, a.trigger_config, NULL::timestamptz, coalesce(s.nonce, gen_random_uuid())
{_IS_CHANGED} LIMIT %s FOR SHARE OF a SKIP LOCKED
"""
_DUE: Final = f"""
SELECT workflow_id, trigger_type, trigger_config, due, nonce {_IS_DUE} ORDER BY due LIMIT %s FOR UPDATE SKIP LOCKED
"""
_PLAN: Final = """
INSERT INTO temporal_schedules (workflow_id, trigger_type, trigger_config, due, nonce)
SELECT id, trigger_type, trigger_config, %s, %s FROM automations WHERE id = %s
ON CONFLICT (workflow_id) DO UPDATE SET trigger_type = excluded.trigger_type,
  trigger_config = excluded.trigger_config, due = excluded.due
WHERE (temporal_schedules.trigger_type, temporal_schedules.trigger_config)
  IS DISTINCT FROM (excluded.trigger_type, excluded.trigger_config)
"""
_MOVE: Final = "UPDATE temporal_schedules SET due = %s WHERE workflow_id = %s"
_OPEN: Final = """
INSERT INTO temporal_audiences (workflow_id, due, trigger_type, conditions, nonce) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
_AUDIENCES: Final = f"""
SELECT workflow_id, trigger_type, due, conditions, after_customer, nonce
{_IS_RELEASED} ORDER BY not_before LIMIT %s FOR UPDATE SKIP LOCKED
"""
_ADVANCE: Final = """
UPDATE temporal_audiences SET after_customer = %s, not_before = now() + %s * interval '1 s'
WHERE workflow_id = %s AND due = %s
"""
_OWNER: Final = """
SELECT a.created_by, a.version, coalesce(p.role, 'user'), coalesce(p.permissions, '{}')
FROM automations a LEFT JOIN user_permissions p ON p.user_id = a.created_by WHERE a.id = %s
"""
_CLOSE: Final = "DELETE FROM temporal_audiences WHERE workflow_id = %s AND due = %s"


class PostgresTemporal:
    """Implements ``app.ports.temporal.TemporalStore``.

    Args:
        pool: The process's pool.
        crm: Where audiences are looked for, given the transaction's connection.
    """

    def __init__(self, pool: Pool, crm: Callable[[psycopg.AsyncConnection[Any]], CrmReads]) -> None:
        self._pool = pool
        self._crm = crm

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["_Transaction"]:
        """Open a transaction."""
        with unreachable(_WHAT):
            async with self._pool.connection() as connection, connection.transaction():
                yield _Transaction(connection, self._crm(connection))

    async def now(self) -> datetime:
        """Return Postgres's time."""
        with unreachable(_WHAT):
            async with self._pool.connection() as connection:
                row = await (await connection.execute("SELECT now()")).fetchone()
        assert row is not None
        now: datetime = row[0]
        return now

    async def pending(self, now: datetime) -> bool:
        """Whether a round would find anything."""
        with unreachable(_WHAT):
            async with self._pool.connection() as connection:
                row = await (await connection.execute(_PENDING, (now,))).fetchone()
        assert row is not None
        return bool(row[0])


class _Transaction:
    def __init__(self, connection: psycopg.AsyncConnection[Any], crm: CrmReads) -> None:
        self._connection = connection
        self._crm = crm

    async def changed(self, limit: int) -> Sequence[Planned]:
        await self._connection.execute(_ENDED)
        ended = await self._connection.execute(_ENDED_AUDIENCES)
        TEMPORAL_SKIPPED.labels("audience_ended").inc(ended.rowcount)
        return [Planned(*row) for row in await self._rows(_CHANGED, limit)]

    async def due(self, now: datetime, limit: int) -> Sequence[Planned]:
        return [Planned(*row) for row in await self._rows(_DUE, now, limit)]

    async def plan(self, workflow: Planned, due: datetime) -> None:
        # The trigger as it is stored: one with a number that was read as another would look changed for ever.
        await self._connection.execute(_PLAN, (due, workflow.nonce, workflow.workflow_id))

    async def move(self, workflow: Planned, due: datetime) -> None:
        await self._connection.execute(_MOVE, (due, workflow.workflow_id))

    async def open_audience(self, release: Release) -> bool:
        conditions = psycopg.types.json.Jsonb(release.conditions)
        values = (release.workflow_id, release.due, release.trigger_type, conditions, release.nonce)
        return (await self._connection.execute(_OPEN, values)).rowcount == 1

    async def audiences(self, limit: int) -> Sequence[Release]:
        return [Release(*row) for row in await self._rows(_AUDIENCES, limit)]

    async def owner(self, workflow_id: UUID) -> Owned | None:
        for user, version, role, permissions in await self._rows(_OWNER, workflow_id):
            return Owned(Caller(user, role, known_permissions(permissions)), version)
        return None

    async def customers(self, after: str, limit: int) -> Sequence[dict[str, Any]]:
        try:
            return await self._crm.customers_after(after, limit)
        except ActionFailedError as error:
            raise UnreachableError(f"the CRM does not serve audiences ({error})") from error

    async def advance(self, release: Release, after: str | None, pause_s: float) -> None:
        if after is None:
            await self._connection.execute(_CLOSE, (release.workflow_id, release.due))
        else:
            await self._connection.execute(_ADVANCE, (after, pause_s, release.workflow_id, release.due))

    async def emit(self, events: Sequence[Record]) -> None:
        await announce(self._connection, events)

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        with unreachable(_WHAT):
            async with self._connection.transaction():
                yield

    async def _rows(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(statement.encode(), params)).fetchall()
