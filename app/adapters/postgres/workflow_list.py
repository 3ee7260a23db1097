"""The list of workflows in Postgres: filtered, in each of its orders, each with an index that leads along it.

Row level security is a filter, and a filter finds the rows of one who has few by reading everybody's: what a user owns
is asked for by owner. An administrator's list goes along the order's own index.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, DateTime, Row, Select, exists, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.drafts import LAST_RUN, NOTE
from app.adapters.postgres.page_bytes import within_bytes
from app.adapters.postgres.schema import AUTOMATIONS, DRAFTS
from app.domain.callers import Caller
from app.domain.paging import NamePosition, Position
from app.ports.workflows import NEVER, WorkflowFilter

T = TypeVar("T")

BODIES: Final = ("description", "trigger_config", "conditions", "actions")
_A: Final = AUTOMATIONS.c
_KEYS: Final[dict[str, ColumnElement[Any]]] = {
    "created_at": _A.created_at,
    "updated_at": _A.updated_at,
    "name": func.lower(_A.name),
    "last_run_at": func.coalesce(LAST_RUN.element, literal(NEVER, DateTime(timezone=True))),
}


async def page(
    connection: AsyncConnection,
    caller: Caller,
    wanted: WorkflowFilter,
    after: Position | NamePosition | None,
    limit: int,
    *,
    read: Callable[[Row[Any]], T],
) -> Sequence[T]:
    """Return a page, bounded in bytes too."""
    key, descending = _KEYS[wanted.sort.removeprefix("-")], wanted.sort.startswith("-")
    statement: Select[Any] = select(AUTOMATIONS, NOTE, LAST_RUN, key.label("sort_key"))
    statement = statement.where(*_conditions(caller, wanted))
    if after is not None:
        place = tuple_(func.lower(after.name) if isinstance(after, NamePosition) else after.at, after.id)
        here = tuple_(key, _A.id)
        statement = statement.where(here < place if descending else here > place)
    order = (key.desc(), _A.id.desc()) if descending else (key, _A.id)
    found = statement.order_by(*order).limit(limit)
    return await within_bytes(connection, found, ("sort_key", "id"), BODIES, read, descending=descending)


def _conditions(caller: Caller, wanted: WorkflowFilter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [_A.deleted_at.is_not(None) if wanted.deleted else _A.deleted_at.is_(None)]
    if caller.role != "admin":
        where.append(_A.created_by == caller.user_id)
    for column, value in ((_A.active, wanted.active), (_A.trigger_type, wanted.trigger_type)):
        if value is not None:
            where.append(column == value)
    if wanted.owner is not None:
        where.append(_A.created_by == wanted.owner)
    if wanted.search is not None:
        where.append(or_(*(one.icontains(wanted.search, autoescape=True) for one in (_A.name, _A.description))))
    if wanted.draft is not None:
        drafted = exists().where(DRAFTS.c.automation_id == _A.id, DRAFTS.c.body.is_not(None))
        where.append(drafted if wanted.draft else ~drafted)
    return where
