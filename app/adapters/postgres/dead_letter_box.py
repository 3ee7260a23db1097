"""Dead letters in Postgres, as administrators work on them; the table is the workers', so it is read in their role."""

from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.api_outbox import put
from app.adapters.postgres.schema import DEAD_LETTERS
from app.domain.callers import Caller
from app.ports import Record
from app.ports.dead_letter_box import DeadLetterFilter, DeadLetterSummary, State, Stored
from app.services.delivery.letter_subjects import MAX_NAMED_CHARS

_L: Final = DEAD_LETTERS.c
_PAIR: Final = 2
_STATE: Final = case(
    (_L.replayed_at.is_not(None), "replayed"), (_L.discarded_at.is_not(None), "discarded"), else_="open"
)


class PostgresDeadLetterBox:
    """Implements ``app.ports.dead_letter_box.BoxStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator["BoxTransaction"]:
        """Open a transaction in the API's role, on a caller's behalf."""
        async with self._database.serving(caller) as connection:
            yield BoxTransaction(connection)

    async def find(self, wanted: DeadLetterFilter, before: int | None, limit: int) -> Sequence[DeadLetterSummary]:
        """Return a page, newest first."""
        statement = _summaries().order_by(_L.id.desc()).limit(limit)
        for name in ("topic", "reason", "role"):
            statement = _where(statement, name, getattr(wanted, name))
        for name in ("event_id", "source", "entity"):
            value = getattr(wanted, name)
            statement = _where(statement, name, value and value[:MAX_NAMED_CHARS])
        for state, condition in (
            ("open", _L.replayed_at.is_(None) & _L.discarded_at.is_(None)),
            ("replayed", _L.replayed_at.is_not(None)),
            ("discarded", _L.discarded_at.is_not(None)),
        ):
            if wanted.state == state:
                statement = statement.where(condition)
        if wanted.since is not None:
            statement = statement.where(_L.failed_at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(_L.failed_at < wanted.until)
        if before is not None:
            statement = statement.where(_L.id < before)
        async with self._database.serving() as connection:
            return [_summary(row) for row in await connection.execute(statement)]

    async def get(self, number: int) -> Stored | None:
        """Return one."""
        async with self._database.serving() as connection:
            return await _one(connection, _whole().where(_L.id == number))


class BoxTransaction:
    """Implements ``app.ports.dead_letter_box.BoxTransaction``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, number: int) -> Stored | None:
        """Return one, locked."""
        return await _one(self._connection, _whole().where(_L.id == number).with_for_update())

    async def mark(self, number: int, state: State, at: datetime, by: UUID) -> None:
        """Note what became of it."""
        marks = {f"{state}_at": at, f"{state}_by": by}
        await self._connection.execute(update(DEAD_LETTERS).where(_L.id == number).values(marks))

    async def send(self, record: Record) -> None:
        """Put a record into the outbox, its headers byte by byte."""
        await put(self._connection, [record])


def _where(statement: Select[Any], name: str, value: str | None) -> Select[Any]:
    return statement if value is None else statement.where(_L[name] == value)


def _summaries() -> Select[Any]:
    return select(
        _L.id.label("number"), _L.topic, _L.partition, _L.offset, _L.record_timestamp, _L.reason, _L.detail, _L.role,
        _L.reader, _L.event_id, _L.source, _L.entity, _L.barred,
        _L.size, _L.cut, _L.failed_at, _STATE.label("state"),
        func.coalesce(_L.replayed_at, _L.discarded_at).label("at"),
        func.coalesce(_L.replayed_by, _L.discarded_by).label("by"),
    )  # fmt: skip


def _whole() -> Select[Any]:
    return _summaries().add_columns(_L.key, _L.value, _L.headers)


async def _one(connection: AsyncConnection, statement: Select[Any]) -> Stored | None:
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    # A service that listens may have written anything into its letter.
    stored = [] if row.headers is None else row.headers if isinstance(row.headers, list) else [row.headers]
    headers = [header for header in map(_header, stored) if header is not None]
    return Stored(_summary(row), row.key, row.value, headers, len(stored) - len(headers))


def _header(stored: Any) -> tuple[str, str | None] | None:
    if not isinstance(stored, list) or len(stored) != _PAIR:
        return None
    name, value = stored
    return (name, value) if isinstance(name, str) and (value is None or _is_base64(value)) else None


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and b64decode(value, validate=True) is not None
    except ValueError:
        return False


def _summary(row: Row[Any]) -> DeadLetterSummary:
    return DeadLetterSummary.model_validate(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented name
