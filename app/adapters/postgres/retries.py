"""Retries in Postgres: the attempt's compare-and-set and its command's outbox row, in one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.acting import go_on_as_api
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.api_outbox import put
from app.adapters.postgres.audit import add_to_trail
from app.adapters.postgres.logged_rows import said, to_go_on_from
from app.domain.callers import Caller
from app.domain.errors import ConflictError
from app.ports import Record
from app.ports.audit import Noted
from app.ports.retries import Logged
from schemas.field_errors import field_errors
from schemas.workflow import Revision

_FIND: Final = """
SELECT l.id, l.automation_id AS workflow_id, a.name AS workflow_name, l.version, l.attempt, l.entity, l.event_id,
  l.event_type, l.status, l.conditions_met, l.error_message AS error, l.executed_at,
  l.execution_duration_ms AS duration_ms, l.trigger_event AS event, l.conditions_result AS verdicts,
  l.actions_executed AS results, a.active AND a.deleted_at IS NULL AS active, r.body
FROM {table} l JOIN automations a ON a.id = l.automation_id
JOIN automation_revisions r ON r.automation_id = l.automation_id AND r.version = l.version
WHERE l.id = :id ORDER BY l.attempt DESC LIMIT 1
"""
_LOGS: Final = tuple(text(_FIND.format(table=table)) for table in ("automation_logs", "automation_logs_archive"))
# The key of an execution that ended long ago may have been removed: then there is nothing to race with but another
# retry, and the primary key decides that race.
_TAKE: Final = text("""
INSERT INTO execution_keys AS k (execution_id, version, executed_at, attempt)
VALUES (:id, :version, :executed_at, :next)
ON CONFLICT (execution_id) DO UPDATE SET attempt = excluded.attempt WHERE k.attempt = :attempt
RETURNING attempt
""")


class PostgresRetries:
    """Implements ``app.ports.retries.RetryStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator["RetryTransaction"]:
        """Open a transaction as the caller."""
        async with self._database.reading(caller) as connection:
            yield RetryTransaction(connection)


class RetryTransaction:
    """Implements ``app.ports.retries.RetryTransaction``: it looks as the caller, and writes as the service."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, execution_id: UUID) -> Logged | None:
        """Return an execution from the log, or else the archive."""
        for statement in _LOGS:
            row = (await self._connection.execute(statement, {"id": execution_id})).one_or_none()
            if row is not None:
                return _logged(row)
        return None

    async def take(self, logged: Logged) -> bool:
        """Raise the execution's attempt by one, if it is still the one in the log."""
        await go_on_as_api(self._connection)
        values = {
            "id": logged.execution_id,
            "version": logged.revision.version,
            "executed_at": logged.executed_at,
            "attempt": logged.attempt,
            "next": logged.attempt + 1,
        }
        return (await self._connection.execute(_TAKE, values)).one_or_none() is not None

    async def send(self, record: Record) -> None:
        """Put a record into the outbox."""
        await go_on_as_api(self._connection)
        await put(self._connection, [record])

    async def note(self, noted: Noted) -> None:
        """Put a line on the audit trail."""
        await go_on_as_api(self._connection)
        await add_to_trail(self._connection, noted)


def _logged(row: Row[Any]) -> Logged:
    found = to_go_on_from(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented name for a row's columns
    return Logged(
        execution_id=found.id,
        attempt=found.attempt,
        status=found.status,
        entity=found.entity or found.event_id or str(found.id),
        event=found.event,
        verdicts=found.verdicts,
        results=found.results,
        executed_at=found.executed_at,
        active=bool(row.active),
        revision=_revision(row),
    )


def _revision(row: Row[Any]) -> Revision:
    try:
        return Revision.model_validate(row.body)
    except ValidationError as error:
        wrong = said(field_errors(error, None))
        raise ConflictError(
            f"Version {row.version} of the workflow, on which it ran, cannot be read: {wrong}"
        ) from None
