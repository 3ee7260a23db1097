"""Message templates in Postgres, as the API works on them; row level security says who sees and changes them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    delete,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from app.adapters.postgres.announcing import named_once
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.page_bytes import within_bytes
from app.domain.callers import Caller
from app.domain.paging import Position
from app.ports.message_templates import MessageFilter
from schemas.message_template import MessageTemplate, MessageTemplateDraft

_TEMPLATES: Final = Table(
    "message_templates",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text),
    Column("kind", Text),
    Column("subject", Text),
    Column("text", Text),
    Column("html", Text),
    Column("version", Integer),
    Column("created_by", Uuid),
    Column("created_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True)),
)
_T: Final = _TEMPLATES.c
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
            return await _one(connection, select(_TEMPLATES).where(_T.id == template_id))

    async def find(
        self, caller: Caller, wanted: MessageFilter, after: Position | None, limit: int
    ) -> Sequence[MessageTemplate]:
        """Return a page, newest first."""
        statement = select(_TEMPLATES).order_by(_T.created_at.desc(), _T.id.desc()).limit(limit)
        if wanted.kind is not None:
            statement = statement.where(_T.kind == wanted.kind)
        if wanted.search is not None:
            statement = statement.where(_T.name.icontains(wanted.search, autoescape=True))
        if after is not None:
            statement = statement.where(tuple_(_T.created_at, _T.id) < tuple_(after.at, after.id))
        async with self._database.reading(caller) as connection:
            return await within_bytes(
                connection, statement, ("created_at", "id"), ("subject", "text", "html"), _template
            )


class MessageTransaction:
    """Implements ``app.ports.message_templates.MessageTransaction`` over a connection that acts as the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, template_id: UUID) -> MessageTemplate | None:
        """Return a template, locked."""
        return await _one(self._connection, select(_TEMPLATES).where(_T.id == template_id).with_for_update())

    async def insert(self, template: MessageTemplate) -> MessageTemplate:
        """Store a new template; its version and times are the database's.

        Raises:
            ConflictError: The owner has one of that kind and name.
        """
        with named_once(f"There is another {template.kind} template named {template.name!r}"):
            row = {**_written(template), "id": template.id, "created_by": template.created_by}
            return await self._stored(insert(_TEMPLATES).values(row).returning(_TEMPLATES))

    async def update(self, template: MessageTemplate) -> MessageTemplate:
        """Store a template's new version.

        Raises:
            ConflictError: The owner has another one of that kind and name.
        """
        with named_once(f"There is another {template.kind} template named {template.name!r}"):
            statement = update(_TEMPLATES).where(_T.id == template.id).values(_written(template))
            return await self._stored(statement.returning(_TEMPLATES))

    async def delete(self, template_id: UUID) -> None:
        """Remove a template."""
        await self._connection.execute(delete(_TEMPLATES).where(_T.id == template_id))

    async def workflows_with(self, template: MessageTemplate, action_type: str) -> Sequence[str]:
        """Return names of the owner's workflows that use it, three at most."""
        values = {"owner": template.created_by, "type": action_type, "name": template.name}
        return list((await self._connection.execute(_USERS, values)).scalars())

    async def _stored(self, write: ReturningInsert[Any] | ReturningUpdate[Any]) -> MessageTemplate:
        return _template((await self._connection.execute(write)).one())


def _written(template: MessageTemplate) -> dict[str, Any]:
    return template.model_dump(include=set(MessageTemplateDraft.model_fields))


async def _one(connection: AsyncConnection, statement: Select[Any]) -> MessageTemplate | None:
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _template(row)


def _template(row: Row[Any]) -> MessageTemplate:
    return MessageTemplate.model_validate(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for a row's columns
