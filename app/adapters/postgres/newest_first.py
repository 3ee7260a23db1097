"""Tables whose rows users write, and read in pages: newest first, each by its id, whole."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Table, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from app.adapters.postgres.page_bytes import within_bytes
from app.domain.paging import Position

T = TypeVar("T")

_ORDER: Final = ("created_at", "id")


class NewestFirst(Generic[T]):
    """One of them, over connections that act as the caller: whose rows are theirs is row level security's to say.

    Args:
        table: It has the columns ``id`` and ``created_at``.
        read: Makes what it holds of a row.
        bodies: Columns that may be large.
        visible: What a row must fulfil to be there.
        more: What is read beside the table's own columns.
    """

    def __init__(
        self,
        table: Table,
        read: Callable[[Row[Any]], T],
        bodies: Sequence[str],
        *visible: ColumnElement[bool],
        more: Sequence[ColumnElement[Any]] = (),
    ) -> None:
        self._table = table
        self._read = read
        self._bodies = bodies
        self._visible = visible
        self._columns: tuple[Any, ...] = (table, *more)

    async def get(self, connection: AsyncConnection, row_id: UUID, *, locked: bool = False) -> T | None:
        """Return one that is there, and the caller's to see; to lock it they must be let change it too."""
        statement = self._rows().where(self._table.c.id == row_id)
        if locked:
            statement = statement.with_for_update(of=self._table)
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else self._read(row)

    async def page(
        self, connection: AsyncConnection, wanted: Sequence[ColumnElement[bool]], after: Position | None, limit: int
    ) -> Sequence[T]:
        """Return a page of those that fulfil what is wanted, bounded in bytes too."""
        columns = self._table.c
        statement = self._rows().where(*wanted).order_by(columns.created_at.desc(), columns.id.desc()).limit(limit)
        if after is not None:
            statement = statement.where(tuple_(columns.created_at, columns.id) < tuple_(after.at, after.id))
        return await within_bytes(connection, statement, _ORDER, self._bodies, self._read)

    def holding(self, text: str, *names: str) -> ColumnElement[bool]:
        """Return the condition that one of the columns holds a text, in upper or lower case."""
        return or_(*(self._table.c[name].icontains(text, autoescape=True) for name in names))

    async def insert(self, connection: AsyncConnection, values: Mapping[str, Any]) -> T:
        """Store a new row, and return what the database made of it."""
        return await self._stored(connection, insert(self._table).values(values).returning(*self._columns))

    async def update(self, connection: AsyncConnection, row_id: UUID, values: Mapping[str, Any]) -> T:
        """Store a row's new version, and return what the database made of it."""
        statement = update(self._table).where(self._table.c.id == row_id).values(values)
        return await self._stored(connection, statement.returning(*self._columns))

    def _rows(self) -> Select[Any]:
        rows: Select[Any] = select(*self._columns)
        return rows.where(*self._visible)

    async def _stored(self, connection: AsyncConnection, write: ReturningInsert[Any] | ReturningUpdate[Any]) -> T:
        return self._read((await connection.execute(write)).one())
