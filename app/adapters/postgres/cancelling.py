"""Cancelling in Postgres: the timer's row, the receipt of the copy, and the outbox, in one transaction."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.acting import go_on_as_api
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.api_outbox import put
from app.adapters.postgres.audit import add_to_trail
from app.domain.callers import Caller
from app.ports import Record
from app.ports.audit import Noted
from app.ports.cancelling import CancellingTransaction, Copy

_FIND: Final = text("""
SELECT command_id FROM timers
WHERE (execution_id = :execution_id OR CAST(:execution_id AS uuid) IS NULL)
  AND (workflow_id = :workflow_id OR CAST(:workflow_id AS uuid) IS NULL)
ORDER BY due LIMIT :limit
""")
_TAKE: Final = text("DELETE FROM timers WHERE command_id = ANY(:ids) RETURNING topic, key, value")
# A receipt that is free, or none yet: its number becomes higher than the copy's, which is dropped as out of date.
_FORBID: Final = text("""
INSERT INTO receipts AS r (command_id, execution_id, state, parked)
SELECT command_id, execution_id, 0, parked + 1
FROM unnest(CAST(:commands AS uuid[]), CAST(:executions AS uuid[]), CAST(:parked AS int[]))
  AS t (command_id, execution_id, parked) ORDER BY command_id
ON CONFLICT (command_id) DO UPDATE SET parked = excluded.parked WHERE r.state = 0 AND r.parked < excluded.parked
RETURNING command_id
""")


class PostgresCancelling:
    """Implements ``app.ports.cancelling.CancellingStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator[CancellingTransaction]:
        """Open a transaction as the caller."""
        async with self._database.writing(caller) as connection:
            yield _Transaction(connection)


class _Transaction:
    """Looks as the caller, and writes as the service."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, execution_id: UUID | None, workflow_id: UUID | None, limit: int) -> Sequence[UUID]:
        values = {"execution_id": execution_id, "workflow_id": workflow_id, "limit": limit}
        return [row[0] for row in await self._connection.execute(_FIND, values)]

    async def take(self, command_ids: Sequence[UUID]) -> Sequence[Record]:
        await go_on_as_api(self._connection)
        rows = await self._connection.execute(_TAKE, {"ids": list(command_ids)})
        return [Record(*row) for row in rows]

    async def forbid(self, copies: Sequence[Copy]) -> Sequence[UUID]:
        if not copies:
            return []
        columns = {
            "commands": [copy.command_id for copy in copies],
            "executions": [copy.execution_id for copy in copies],
            "parked": [copy.parked for copy in copies],
        }
        forbidden = {row[0] for row in await self._connection.execute(_FORBID, columns)}
        return [copy.command_id for copy in copies if copy.command_id not in forbidden]

    async def send(self, records: Sequence[Record]) -> None:
        await put(self._connection, records)

    async def note(self, noted: Noted) -> None:
        await go_on_as_api(self._connection)
        await add_to_trail(self._connection, noted)
