"""Drafts of workflows in Postgres: one row a workflow; number, author and time are the database's own."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, Row, literal_column, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.schema import AUTOMATIONS, DRAFTS
from app.ports.workflows import StoredDraft

_D: Final = DRAFTS.c
# Beside a workflow's own columns, also in what a write returns, where SQLAlchemy would not correlate a subquery.
NOTE: Final = literal_column(
    "(SELECT jsonb_build_object('version', d.version, 'saved_at', d.saved_at, 'saved_by', d.saved_by,"
    " 'based_on', d.based_on, 'changes', d.changes)"
    " FROM automation_drafts d WHERE d.automation_id = automations.id AND d.body IS NOT NULL)",
    JSONB,
).label("draft")
LAST_RUN: Final = literal_column(
    "(SELECT l.last_run_at FROM automation_last_runs l WHERE l.automation_id = automations.id)",
    DateTime(timezone=True),
).label("last_run_at")


async def draft_of(connection: AsyncConnection, workflow_id: UUID) -> StoredDraft | None:
    """Return the draft of a workflow that is not deleted."""
    statement = (
        select(DRAFTS)
        .join_from(DRAFTS, AUTOMATIONS, AUTOMATIONS.c.id == _D.automation_id)
        .where(_D.automation_id == workflow_id, _D.body.is_not(None), AUTOMATIONS.c.deleted_at.is_(None))
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _draft(row)


async def save(
    connection: AsyncConnection, workflow_id: UUID, body: dict[str, Any], based_on: int, changes: int
) -> StoredDraft:
    """Store a draft over the one before."""
    values = {"body": body, "based_on": based_on, "changes": changes}
    statement = insert(DRAFTS).values(automation_id=workflow_id, **values)
    stored = statement.on_conflict_do_update(index_elements=[_D.automation_id], set_=values).returning(DRAFTS)
    return _draft((await connection.execute(stored)).one())


async def discard(connection: AsyncConnection, workflow_id: UUID) -> None:
    """Empty a draft's row; its number goes on."""
    await connection.execute(update(DRAFTS).where(_D.automation_id == workflow_id).values(body=None, changes=0))


def _draft(row: Row[Any]) -> StoredDraft:
    return StoredDraft(row.body, row.based_on, row.changes, row.version, row.saved_by, row.saved_at)
