"""The audit trail in Postgres, as the API reads it and adds to it; who may read is row level security's to hold."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import bindparam, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.schema import AUDIT_TRAIL
from app.domain.callers import Caller
from app.domain.paging import Position
from app.ports.audit import AuditEntry, AuditFilter, FailedSignIn, Noted

_A: Final = AUDIT_TRAIL.c
_NOTE: Final = text(
    "SELECT headrace_add_to_trail(:action, :kind, :object_id, :name, CAST(:version AS integer), :said)"
).bindparams(bindparam("said", type_=JSONB))
_FAILED: Final = text("SELECT headrace_note_failed_sign_in(:account, :address, :why, CAST(:attempts AS integer))")


async def add_to_trail(connection: AsyncConnection, noted: Noted) -> None:
    """Add a line in a transaction that runs as the API, with the caller's claims."""
    said = {name: {"new": value} for name, value in noted.said.items()}
    await connection.execute(_NOTE, {**asdict(noted), "said": said})


class PostgresAuditNotes:
    """Implements ``app.ports.audit.AuditNotes``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def note(self, caller: Caller, noted: Noted) -> None:
        """Add a line."""
        async with self._database.serving(caller) as connection:
            await add_to_trail(connection, noted)

    async def note_failed(self, failed: FailedSignIn) -> None:
        """Count sign-ins that failed."""
        async with self._database.serving() as connection:
            await connection.execute(_FAILED, asdict(failed))


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
