"""Message templates in Postgres, as the API works on them; row level security says who sees and changes them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.named_once import named_once
from app.adapters.postgres.newest_first import NewestFirst
from app.adapters.postgres.schema import MESSAGE_TEMPLATES
from app.domain.callers import Caller
from app.domain.paging import Position
from app.ports.message_templates import MessageFilter
from schemas.message_template import MessageTemplate, MessageTemplateDraft

_T: Final = MESSAGE_TEMPLATES.c
_BODIES: Final = ("subject", "text", "html")
_USERS: Final = text("""
SELECT name FROM automations WHERE deleted_at IS NULL AND created_by = :owner
  AND actions @> jsonb_build_array(jsonb_build_object('type', CAST(:type AS text),
    'config', jsonb_build_object('template', CAST(:name AS text))))
ORDER BY name LIMIT 3
""")


class PostgresMessageTemplates:
    """Implements ``app.ports.message_templates.MessageStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator["MessageTransaction"]:
        """Open a transaction as the caller."""
        async with self._database.writing(caller) as connection:
            yield MessageTransaction(connection)

    async def get(self, caller: Caller, template_id: UUID) -> MessageTemplate | None:
        """Return a template that is the caller's to see."""
        async with self._database.reading(caller) as connection:
            return await _ROWS.get(connection, template_id)

    async def find(
        self, caller: Caller, wanted: MessageFilter, after: Position | None, limit: int
    ) -> Sequence[MessageTemplate]:
        """Return a page, newest first."""
        where: list[ColumnElement[bool]] = []
        if wanted.kind is not None:
            where.append(_T.kind == wanted.kind)
        if wanted.search is not None:
            where.append(_ROWS.holding(wanted.search, "name"))
        async with self._database.reading(caller) as connection:
            return await _ROWS.page(connection, where, after, limit)


class MessageTransaction:
    """Implements ``app.ports.message_templates.MessageTransaction`` over a connection that acts as the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, template_id: UUID) -> MessageTemplate | None:
        """Return a template, locked."""
        return await _ROWS.get(self._connection, template_id, locked=True)

    async def insert(self, template: MessageTemplate) -> MessageTemplate:
        """Store a new template; its version and times are the database's.

        Raises:
            ConflictError: The owner has one of that kind and name.
        """
        with named_once(f"There is another {template.kind} template named {template.name!r}"):
            row = {**_written(template), "id": template.id, "created_by": template.created_by}
            return await _ROWS.insert(self._connection, row)

    async def update(self, template: MessageTemplate) -> MessageTemplate:
        """Store a template's new version.

        Raises:
            ConflictError: The owner has another one of that kind and name.
        """
        with named_once(f"There is another {template.kind} template named {template.name!r}"):
            return await _ROWS.update(self._connection, template.id, _written(template))

    async def delete(self, template_id: UUID) -> None:
        """Remove a template."""
        await self._connection.execute(delete(MESSAGE_TEMPLATES).where(_T.id == template_id))

    async def workflows_with(self, template: MessageTemplate, action_type: str) -> Sequence[str]:
        """Return names of the owner's workflows that use it, three at most."""
        values = {"owner": template.created_by, "type": action_type, "name": template.name}
        return list((await self._connection.execute(_USERS, values)).scalars())


def _written(template: MessageTemplate) -> dict[str, Any]:
    return template.model_dump(include=set(MessageTemplateDraft.model_fields))


def _template(row: Row[Any]) -> MessageTemplate:
    return MessageTemplate.model_validate(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for a row's columns


_ROWS: Final = NewestFirst(MESSAGE_TEMPLATES, _template, _BODIES)
