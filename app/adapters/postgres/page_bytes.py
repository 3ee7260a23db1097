"""Pages of rows with large bodies: bounded in bytes, so that a page of the largest cannot exhaust memory."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Row, Select, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.paging import Shortened

T = TypeVar("T")

MAX_PAGE_BYTES: Final = 8 * 1024 * 1024


async def within_bytes(
    connection: AsyncConnection,
    statement: Select[Any],
    order: Sequence[str],
    bodies: Sequence[str],
    make: Callable[[Row[Any]], T],
    *,
    descending: bool = True,
) -> Sequence[T]:
    """Return a page's rows up to the one that passes the bound; the others do not leave Postgres.

    Args:
        connection: Acts as the caller.
        statement: Selects the page, with its limit.
        order: Columns that it is ordered by.
        bodies: Columns that may be large.
        make: Makes a result of a row.
        descending: Which way, all of the columns alike.
    """
    page = statement.subquery("page")
    sizes = (func.coalesce(func.octet_length(cast(page.c[name], Text)), 0) for name in bodies)
    size: ColumnElement[int] = sum(sizes, start=func.length(""))
    ordered = [page.c[name].desc() if descending else page.c[name] for name in order]
    before = (func.sum(size).over(order_by=ordered, rows=(None, 0)) - size).label("bytes_before")
    sized = select(page, before, func.count().over().label("rows_there")).subquery("sized")
    again = [sized.c[name].desc() if descending else sized.c[name] for name in order]
    kept = select(sized).where(sized.c.bytes_before < MAX_PAGE_BYTES).order_by(*again)
    rows = (await connection.execute(kept)).all()
    made = [make(row) for row in rows]
    return Shortened(made) if rows and len(rows) < rows[0].rows_there else made
