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
_ENDED: Final = """
DELETE FROM temporal_schedules s USING automations a
WHERE a.id = s.workflow_id AND NOT (a.active AND a.deleted_at IS NULL AND a.trigger_type = s.trigger_type)
"""
_ENDED_AUDIENCES: Final = """
DELETE FROM temporal_audiences s USING automations a
WHERE a.id = s.workflow_id AND NOT (a.active AND a.deleted_at IS NULL)
"""
_CHANGED: Final = """
SELECT a.id, a.trigger_type, a.trigger_config, NULL::timestamptz, coalesce(s.nonce, gen_random_uuid())
FROM automations a
LEFT JOIN temporal_schedules s ON s.workflow_id = a.id
WHERE a.active AND a.deleted_at IS NULL AND a.trigger_type LIKE 'temporal.%%'
  AND (s.workflow_id IS NULL OR s.trigger_config <> a.trigger_config)
LIMIT %s FOR SHARE OF a SKIP LOCKED
"""
_DUE: Final = """
SELECT workflow_id, trigger_type, trigger_config, due, nonce FROM temporal_schedules
WHERE due <= %s ORDER BY due LIMIT %s FOR UPDATE SKIP LOCKED
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
_AUDIENCES: Final = """
SELECT workflow_id, trigger_type, due, conditions, after_customer, nonce FROM temporal_audiences
WHERE not_before <= now() ORDER BY not_before LIMIT %s FOR UPDATE SKIP LOCKED
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
