"""Executions that wait, as the API reads them: rows of ``timers``, without the records that they hold."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, Uuid, select, tuple_

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.workflows import AUTOMATIONS
from app.domain.callers import Caller
from app.domain.paging import Position
from app.ports.executions import WaitingExecution

_TIMERS: Final = Table(
    "timers",
    MetaData(),
    Column("command_id", Uuid, primary_key=True),
    Column("execution_id", Uuid),
    Column("workflow_id", Uuid),
    Column("entity", Text),
    Column("step", Integer),
    Column("kind", Text),
    Column("reason", Text),
    Column("due", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True)),
)
_T: Final = _TIMERS.c


class PostgresWaiting:
    """Implements ``app.ports.executions.WaitingStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def find(
        self, caller: Caller, workflow_id: UUID | None, entity: str | None, after: Position | None, limit: int
    ) -> Sequence[WaitingExecution]:
        """Return a page, those due first first."""
        statement = (
            select(
                _T.execution_id.label("id"),
                _T.command_id,
                _T.workflow_id,
                AUTOMATIONS.c.name.label("workflow_name"),
                _T.entity,
                _T.step,
                _T.kind,
                _T.reason,
                _T.due,
                _T.created_at.label("since"),
            )
            .join_from(_TIMERS, AUTOMATIONS, AUTOMATIONS.c.id == _T.workflow_id)
            .order_by(_T.due, _T.command_id)
            .limit(limit)
        )
        if workflow_id is not None:
            statement = statement.where(_T.workflow_id == workflow_id)
        if entity is not None:
            statement = statement.where(_T.entity == entity)
        if after is not None:
            statement = statement.where(tuple_(_T.due, _T.command_id) > tuple_(after.at, after.id))
        async with self._database.reading(caller) as connection:
            rows: Sequence[Any] = (await connection.execute(statement)).mappings().all()
        return [WaitingExecution.model_validate(dict(row)) for row in rows]
