"""Workflow templates in Postgres; row level security says who sees and who changes them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.newest_first import NewestFirst
from app.adapters.postgres.schema import TEMPLATES
from app.adapters.postgres.stored_rows import stored
from app.domain.callers import Caller
from app.domain.paging import Position
from app.ports.templates import TemplateFilter
from schemas.template import Template

_T: Final = TEMPLATES.c
_BODIES: Final = ("description", "trigger_config", "conditions", "actions", "placeholders")


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
            return await _ROWS.get(connection, template_id)

    async def find(
        self, caller: Caller, wanted: TemplateFilter, after: Position | None, limit: int
    ) -> Sequence[Template]:
        """Return a page, newest first."""
        where: list[ColumnElement[bool]] = []
        if wanted.category is not None:
            where.append(_T.category == wanted.category)
        if wanted.trigger_type is not None:
            where.append(_T.trigger_type == wanted.trigger_type)
        if wanted.public is not None:
            where.append(_T.is_public.is_(wanted.public))
        if wanted.mine:
            where.append(_T.created_by == caller.user_id)
        if wanted.search is not None:
            where.append(_ROWS.holding(wanted.search, "name", "description"))
        async with self._database.reading(caller) as connection:
            return await _ROWS.page(connection, where, after, limit)

    async def categories(self, caller: Caller) -> Sequence[tuple[str | None, int]]:
        """Return the categories, by name, those without one last."""
        statement = select(_T.category, func.count()).group_by(_T.category).order_by(_T.category)
        async with self._database.reading(caller) as connection:
            return [(row[0], row[1]) for row in await connection.execute(statement)]


class TemplateTransaction:
    """Implements ``app.ports.templates.TemplateTransaction`` over a connection that acts as the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, template_id: UUID) -> Template | None:
        """Return a template, locked: row level security lets a caller lock what they may change."""
        return await _ROWS.get(self._connection, template_id, locked=True)

    async def insert(self, template: Template) -> Template:
        """Store a new template; its version and times are the database's."""
        row = {**columns(template), "id": template.id, "created_by": template.created_by}
        return await _ROWS.insert(self._connection, row)

    async def update(self, template: Template) -> Template:
        """Store a template's new version."""
        return await _ROWS.update(self._connection, template.id, columns(template))

    async def delete(self, template_id: UUID) -> None:
        """Remove a template."""
        await self._connection.execute(delete(TEMPLATES).where(_T.id == template_id))


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
        "placeholders": template.placeholders,
    }


def _template(row: Row[Any]) -> Template:
    found = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name for a row's columns
    return stored(
        Template,
        {
            **found,
            "description": found["description"] or "",
            "is_public": bool(found["is_public"]),
            "usage_count": found["usage_count"] or 0,
            "trigger": {"type": found["trigger_type"], "config": found["trigger_config"]},
        },
    )


_ROWS: Final = NewestFirst(TEMPLATES, _template, _BODIES)
