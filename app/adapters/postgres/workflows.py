"""Workflows in Postgres: users write automations; revisions, and the outbox that tells the matchers, follow from it.

Version, times, revision and outbox row are the database's own (migration 0036), so that a client that writes SQL
in a user's name cannot announce anything but what is stored.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres import drafts
from app.adapters.postgres.acting import acting_as_api
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.newest_first import NewestFirst
from app.adapters.postgres.page_bytes import within_bytes
from app.adapters.postgres.references import missing
from app.adapters.postgres.schema import AUTOMATIONS, REVISIONS
from app.adapters.postgres.stored_rows import recorded, stored
from app.adapters.postgres.turns import take_turn
from app.adapters.postgres.workflow_list import BODIES, page
from app.domain.callers import Caller
from app.domain.grants import Use
from app.domain.paging import NamePosition, Position
from app.ports.workflows import Reference, StoredDraft, WorkflowFilter
from schemas.workflow import Workflow

# It stays where it is once the column holds no more.
_COUNT_USE: Final = text("""
UPDATE automation_templates SET usage_count = least(coalesce(usage_count, 0), 2147483646) + 1 WHERE id = :id
""")
_A: Final = AUTOMATIONS.c
_R: Final = REVISIONS.c


class PostgresWorkflows:
    """Implements ``app.ports.workflows.WorkflowStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator["WorkflowTransaction"]:
        """Open a transaction as the caller."""
        async with self._database.writing(caller) as connection:
            yield WorkflowTransaction(connection)

    async def get(self, caller: Caller, workflow_id: UUID) -> Workflow | None:
        """Return a workflow that is there and the caller's to see."""
        async with self._database.reading(caller) as connection:
            return await _WORKFLOWS.get(connection, workflow_id)

    async def find(
        self, caller: Caller, wanted: WorkflowFilter, after: Position | NamePosition | None, limit: int
    ) -> Sequence[Workflow]:
        """Return a page, in the order that is wanted."""
        async with self._database.reading(caller) as connection:
            return await page(connection, caller, wanted, after, limit, read=_workflow)

    async def revisions(
        self, caller: Caller, workflow_id: UUID, before: int | None, limit: int
    ) -> Sequence[dict[str, Any]]:
        """Return revisions' bodies with who wrote them, newest first."""
        statement = (
            select(_R.version, _R.body, _R.created_by, _R.created_at)
            .where(_R.automation_id == workflow_id)
            .order_by(_R.version.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(_R.version < before)
        async with self._database.reading(caller) as connection:
            return await within_bytes(connection, statement, ("version",), ("body",), partial(recorded, workflow_id))

    async def revision(self, caller: Caller, workflow_id: UUID, version: int) -> dict[str, Any] | None:
        """Return one revision's body with who wrote it."""
        async with self._database.reading(caller) as connection:
            return await _one_revision(connection, workflow_id, version)

    async def draft(self, caller: Caller, workflow_id: UUID) -> StoredDraft | None:
        """Return a draft that is there and the caller's to see."""
        async with self._database.reading(caller) as connection:
            return await drafts.draft_of(connection, workflow_id)


class WorkflowTransaction:
    """Implements ``app.ports.workflows.Transaction`` over a connection that acts as the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, workflow_id: UUID, *, deleted: bool = False) -> Workflow | None:
        """Return a workflow, locked."""
        return await (_DELETED if deleted else _WORKFLOWS).get(self._connection, workflow_id, locked=True)

    async def insert(self, workflow: Workflow) -> Workflow:
        """Store a new workflow; its revision and outbox row follow."""
        row = {**_columns(workflow), "id": workflow.id, "created_by": workflow.created_by}
        return await _WORKFLOWS.insert(self._connection, row)

    async def update(self, workflow: Workflow, *, deleted: bool) -> Workflow:
        """Store a workflow's new version; its revision and outbox row follow."""
        gone = {"deleted_at": func.now()} if deleted else {}
        return await _WORKFLOWS.update(self._connection, workflow.id, {**_columns(workflow), **gone})

    async def restore(self, workflow_id: UUID) -> Workflow:
        """Take the time of its deletion away: the rest, revision and outbox row too, is the database's."""
        return await _WORKFLOWS.update(self._connection, workflow_id, {"deleted_at": None})

    async def revision(self, workflow_id: UUID, version: int) -> dict[str, Any] | None:
        """Return one revision's body with who wrote it."""
        return await _one_revision(self._connection, workflow_id, version)

    async def draft(self, workflow_id: UUID) -> StoredDraft | None:
        """Return a workflow's draft."""
        return await drafts.draft_of(self._connection, workflow_id)

    async def save_draft(self, workflow_id: UUID, body: dict[str, Any], based_on: int, changes: int) -> StoredDraft:
        """Store a workflow's draft."""
        return await drafts.save(self._connection, workflow_id, body, based_on, changes)

    async def discard_draft(self, workflow_id: UUID) -> None:
        """Let a workflow's draft go."""
        await drafts.discard(self._connection, workflow_id)

    async def missing(self, use: Use, named: Sequence[Reference], *, live: bool) -> Sequence[Reference]:
        """Return those of the named things that are not there, or not for the workflow."""
        return await missing(self._connection, use, named, live=live)

    async def owned(self, owner: UUID, trigger_type: str | None) -> int:
        """Count an owner's workflows, or the active ones of a trigger type, with the owner locked against others."""
        await take_turn(self._connection, f"owner {owner}")
        # Only now, in a statement of its own: it sees what was committed before the lock was had.
        counted = select(func.count()).where(_A.created_by == owner, _A.deleted_at.is_(None))
        if trigger_type is not None:
            counted = counted.where(_A.active, _A.trigger_type == trigger_type)
        return int((await self._connection.execute(counted)).scalar_one())

    async def count_use(self, template_id: UUID) -> None:
        """Count a template's use, as the service: a caller who may apply a template may not change it."""
        async with acting_as_api(self._connection):
            await self._connection.execute(_COUNT_USE, {"id": template_id})


async def _one_revision(connection: AsyncConnection, workflow_id: UUID, version: int) -> dict[str, Any] | None:
    statement: Select[Any] = select(_R.version, _R.body, _R.created_by, _R.created_at).where(
        _R.automation_id == workflow_id, _R.version == version
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else recorded(workflow_id, row)


def _columns(workflow: Workflow) -> dict[str, Any]:
    return {
        "name": workflow.name,
        "description": workflow.description,
        "active": workflow.active,
        "trigger_type": workflow.trigger.type,
        "trigger_config": workflow.trigger.config,
        "conditions": workflow.conditions,
        "actions": workflow.actions,
        "priority": workflow.priority,
        "reentry": workflow.reentry,
    }


def _workflow(row: Row[Any]) -> Workflow:
    columns = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name for a row's columns
    return stored(
        Workflow,
        {
            **columns,
            "description": columns["description"] or "",
            "trigger": {"type": columns["trigger_type"], "config": columns["trigger_config"]},
        },
    )


_MORE: Final = (drafts.NOTE, drafts.LAST_RUN)
_WORKFLOWS: Final = NewestFirst(AUTOMATIONS, _workflow, BODIES, _A.deleted_at.is_(None), more=_MORE)
_DELETED: Final = NewestFirst(AUTOMATIONS, _workflow, BODIES, _A.deleted_at.is_not(None), more=_MORE)
