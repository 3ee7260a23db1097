"""Workflow templates in Postgres; row level security says who sees and who changes them."""

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
    delete,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.page_bytes import within_bytes
from app.adapters.postgres.reentry_column import ReentryColumn
from app.domain.callers import Caller
from app.domain.paging import Position
from app.ports.templates import TemplateFilter
from schemas.template import Template

TEMPLATES: Final = Table(
    "automation_templates",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("name", String(255)),
    Column("description", Text),
    Column("category", String(100)),
    Column("trigger_type", String(100)),
    Column("trigger_config", JSONB),
    Column("conditions", JSONB),
    Column("actions", JSONB),
    Column("is_public", Boolean),
    Column("created_by", Uuid),
    Column("usage_count", Integer),
    Column("created_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True)),
    Column("version", Integer),
    Column("priority", SmallInteger),
    Column("reentry", ReentryColumn),
)
_T: Final = TEMPLATES.c
_NEWEST: Final = ("created_at", "id")
_BODIES: Final = ("description", "trigger_config", "conditions", "actions")


class PostgresTemplates:
    """Implements ``app.ports.templates.TemplateStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator["TemplateTransaction"]:
        """Open a transaction as the caller."""
        async with self._database.writing(caller) as connection:
            yield TemplateTransaction(connection)

    async def get(self, caller: Caller, template_id: UUID) -> Template | None:
        """Return a template that is the caller's to see."""
        async with self._database.reading(caller) as connection:
            return await _one(connection, select(TEMPLATES).where(_T.id == template_id))

    async def find(
        self, caller: Caller, wanted: TemplateFilter, after: Position | None, limit: int
    ) -> Sequence[Template]:
        """Return a page, newest first."""
        statement = select(TEMPLATES).order_by(_T.created_at.desc(), _T.id.desc()).limit(limit)
        if wanted.category is not None:
            statement = statement.where(_T.category == wanted.category)
        if wanted.trigger_type is not None:
            statement = statement.where(_T.trigger_type == wanted.trigger_type)
        if wanted.public is not None:
            statement = statement.where(_T.is_public.is_(wanted.public))
        if wanted.mine:
            statement = statement.where(_T.created_by == caller.user_id)
        if wanted.search is not None:
            like = (column.icontains(wanted.search, autoescape=True) for column in (_T.name, _T.description))
            statement = statement.where(or_(*like))
        if after is not None:
            statement = statement.where(tuple_(_T.created_at, _T.id) < tuple_(after.at, after.id))
        async with self._database.reading(caller) as connection:
            return await within_bytes(connection, statement, _NEWEST, _BODIES, _template)


class TemplateTransaction:
    """Implements ``app.ports.templates.TemplateTransaction`` over a connection that acts as the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, template_id: UUID) -> Template | None:
        """Return a template, locked: row level security lets a caller lock what they may change."""
        return await _one(self._connection, select(TEMPLATES).where(_T.id == template_id).with_for_update())

    async def insert(self, template: Template) -> Template:
        """Store a new template; its version and times are the database's."""
        row = {**columns(template), "id": template.id, "created_by": template.created_by}
        return await self._stored(insert(TEMPLATES).values(row).returning(TEMPLATES))

    async def update(self, template: Template) -> Template:
        """Store a template's new version."""
        statement = update(TEMPLATES).where(_T.id == template.id).values(columns(template))
        return await self._stored(statement.returning(TEMPLATES))

    async def delete(self, template_id: UUID) -> None:
        """Remove a template."""
        await self._connection.execute(delete(TEMPLATES).where(_T.id == template_id))

    async def _stored(self, write: ReturningInsert[Any] | ReturningUpdate[Any]) -> Template:
        return _template((await self._connection.execute(write)).one())


async def _one(connection: AsyncConnection, statement: Select[Any]) -> Template | None:
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _template(row)


def columns(template: Template) -> dict[str, Any]:
    """Return what a write sets, by column."""
    return {
        "name": template.name,
        "description": template.description,
        "category": template.category,
        "trigger_type": template.trigger.type,
        "trigger_config": template.trigger.config,
        "conditions": template.conditions,
        "actions": template.actions,
        "is_public": template.is_public,
        "priority": template.priority,
        "reentry": template.reentry,
    }


def _template(row: Row[Any]) -> Template:
    found = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name for a row's columns
    return Template.model_validate(
        {
            **found,
            "description": found["description"] or "",
            "is_public": bool(found["is_public"]),
            "usage_count": found["usage_count"] or 0,
            "trigger": {"type": found["trigger_type"], "config": found["trigger_config"]},
        }
    )
