"""The audit trail in Postgres, as the API reads it; that callers are administrators is row level security's to hold."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, tuple_

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.schema import AUDIT_TRAIL
from app.domain.callers import Caller
from app.domain.paging import Position
from app.ports.audit import AuditEntry, AuditFilter

_A: Final = AUDIT_TRAIL.c


class PostgresAuditTrail:
    """Implements ``app.ports.audit.AuditTrail``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def find(
        self, caller: Caller, wanted: AuditFilter, after: Position | None, limit: int
    ) -> Sequence[AuditEntry]:
        """Return a page, newest first."""
        statement = select(AUDIT_TRAIL).order_by(_A.at.desc(), _A.id.desc()).limit(limit)
        for column, value in (
            (_A.actor, wanted.actor),
            (_A.action, wanted.action),
            (_A.kind, wanted.kind),
            (_A.object_id, wanted.object_id),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if wanted.since is not None:
            statement = statement.where(_A.at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(_A.at < wanted.until)
        if after is not None:
            statement = statement.where(tuple_(_A.at, _A.id) < tuple_(after.at, after.id))
        async with self._database.reading(caller) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [AuditEntry.model_validate(dict(row)) for row in rows]
