"""Workflows in Postgres: users write automations; revisions, and the outbox that tells the matchers, follow from it.

Version, times, revision and outbox row are the database's own (migration 0036), so that a client that writes SQL
in a user's name cannot announce anything but what is stored.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    Row,
    Select,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from app.adapters.postgres.acting import acting_as_api
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.page_bytes import within_bytes
from app.adapters.postgres.reentry_column import ReentryColumn
from app.adapters.postgres.references import missing
from app.adapters.postgres.turns import take_turn
from app.domain.callers import Caller
from app.domain.grants import Use
from app.domain.paging import Position
from app.ports.workflows import Reference, WorkflowFilter
from schemas.workflow import Workflow

_METADATA: Final = MetaData()
AUTOMATIONS: Final = Table(
    "automations",
    _METADATA,
    Column("id", Uuid, primary_key=True),
    Column("name", String(255)),
    Column("description", Text),
    Column("active", Boolean),
    Column("trigger_type", String(100)),
    Column("trigger_config", JSONB),
    Column("conditions", JSONB),
    Column("actions", JSONB),
    Column("created_by", Uuid),
    Column("created_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
    Column("version", Integer),
    Column("priority", SmallInteger),
    Column("reentry", ReentryColumn),
)
_REVISIONS: Final = Table(
    "automation_revisions",
    _METADATA,
    Column("automation_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", JSONB),
    Column("created_at", DateTime(timezone=True)),
    Column("created_by", Uuid),
)
# It stays where it is once the column holds no more.
_COUNT_USE: Final = text("""
UPDATE automation_templates SET usage_count = least(coalesce(usage_count, 0), 2147483646) + 1 WHERE id = :id
""")
_A: Final = AUTOMATIONS.c
_NEWEST: Final = ("created_at", "id")
_BODIES: Final = ("description", "trigger_config", "conditions", "actions")
_R: Final = _REVISIONS.c


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
            return await _one(connection, _visible().where(_A.id == workflow_id))

    async def find(
        self, caller: Caller, wanted: WorkflowFilter, after: Position | None, limit: int
    ) -> Sequence[Workflow]:
        """Return a page, newest first."""
        statement = _visible().order_by(_A.created_at.desc(), _A.id.desc()).limit(limit)
        if wanted.active is not None:
            statement = statement.where(_A.active.is_(wanted.active))
        if wanted.trigger_type is not None:
            statement = statement.where(_A.trigger_type == wanted.trigger_type)
        if wanted.search is not None:
            like = (column.icontains(wanted.search, autoescape=True) for column in (_A.name, _A.description))
            statement = statement.where(or_(*like))
        if after is not None:
            statement = statement.where(tuple_(_A.created_at, _A.id) < tuple_(after.at, after.id))
        async with self._database.reading(caller) as connection:
            return await within_bytes(connection, statement, _NEWEST, _BODIES, _workflow)

    async def revisions(
        self, caller: Caller, workflow_id: UUID, before: int | None, limit: int
    ) -> Sequence[dict[str, Any]]:
        """Return revisions' bodies with who wrote them, newest first."""
        statement = (
            select(_R.version, _R.body, _R.created_by)
            .where(_R.automation_id == workflow_id)
            .order_by(_R.version.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(_R.version < before)
        async with self._database.reading(caller) as connection:
            return await within_bytes(connection, statement, ("version",), ("body",), _revision)


class WorkflowTransaction:
    """Implements ``app.ports.workflows.Transaction`` over a connection that acts as the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, workflow_id: UUID) -> Workflow | None:
        """Return a workflow, locked."""
        return await _one(self._connection, _visible().where(_A.id == workflow_id).with_for_update())

    async def insert(self, workflow: Workflow) -> Workflow:
        """Store a new workflow; its revision and outbox row follow."""
        row = {**_columns(workflow), "id": workflow.id, "created_by": workflow.created_by}
        return await self._stored(insert(AUTOMATIONS).values(row).returning(AUTOMATIONS))

    async def update(self, workflow: Workflow, *, deleted: bool) -> Workflow:
        """Store a workflow's new version; its revision and outbox row follow."""
        gone = {"deleted_at": func.now()} if deleted else {}
        statement = update(AUTOMATIONS).where(_A.id == workflow.id).values({**_columns(workflow), **gone})
        return await self._stored(statement.returning(AUTOMATIONS))

    async def missing(self, use: Use, named: Sequence[Reference]) -> Sequence[Reference]:
        """Return those of the named things that are not there, or not for the workflow."""
        return await missing(self._connection, use, named)

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

    async def _stored(self, write: ReturningInsert[Any] | ReturningUpdate[Any]) -> Workflow:
        return _workflow((await self._connection.execute(write)).one())


def _visible() -> Select[Any]:
    return select(AUTOMATIONS).where(_A.deleted_at.is_(None))


async def _one(connection: AsyncConnection, statement: Select[Any]) -> Workflow | None:
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _workflow(row)


def _revision(row: Row[Any]) -> dict[str, Any]:
    return {**row.body, "written_by": row.created_by}


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
    return Workflow.model_validate(
        {
            **columns,
            "description": columns["description"] or "",
            "trigger": {"type": columns["trigger_type"], "config": columns["trigger_config"]},
        }
    )
