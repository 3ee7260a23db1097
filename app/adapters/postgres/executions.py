"""The execution log in Postgres, as the API reads it: ``automation_logs``, and its archive for a single execution."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, Table, select, tuple_

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.schema import ARCHIVE, AUTOMATIONS, LOGS, TIMERS
from app.domain.callers import Caller
from app.domain.paging import Position
from app.ports.executions import ExecutionDetail, ExecutionFilter, ExecutionSummary, WaitingExecution


class PostgresExecutions:
    """Implements ``app.ports.executions.ExecutionStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def find(
        self, caller: Caller, wanted: ExecutionFilter, after: Position | None, limit: int
    ) -> Sequence[ExecutionSummary]:
        """Return a page, newest first."""
        log = LOGS.c
        statement = _summaries(LOGS).order_by(log.executed_at.desc(), log.id.desc()).limit(limit)
        for column, value in (
            (log.automation_id, wanted.workflow_id),
            (log.status, wanted.status),
            (log.entity, wanted.entity),
            (log.event_id, wanted.event_id),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if wanted.since is not None:
            statement = statement.where(log.executed_at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(log.executed_at < wanted.until)
        if after is not None:
            # The first condition says nothing new, but lets the planner leave out later days' partitions.
            statement = statement.where(
                log.executed_at <= after.at, tuple_(log.executed_at, log.id) < tuple_(after.at, after.id)
            )
        async with self._database.reading(caller) as connection:
            rows = await connection.execute(statement)
            return [ExecutionSummary.model_validate(dict(_mapping(row))) for row in rows]

    async def get(self, caller: Caller, execution_id: UUID) -> ExecutionDetail | None:
        """Return one, from the log or else the archive."""
        async with self._database.reading(caller) as connection:
            for table in (LOGS, ARCHIVE):
                statement = _details(table).where(table.c.id == execution_id).order_by(table.c.attempt.desc()).limit(1)
                row = (await connection.execute(statement)).one_or_none()
                if row is not None:
                    return _detail(row)
        return None


def _summaries(log: Table) -> Select[Any]:
    return select(
        log.c.id,
        log.c.automation_id.label("workflow_id"),
        AUTOMATIONS.c.name.label("workflow_name"),
        log.c.version,
        log.c.attempt,
        log.c.entity,
        log.c.event_id,
        log.c.event_type,
        log.c.status,
        log.c.conditions_met,
        log.c.error_message.label("error"),
        log.c.executed_at,
        log.c.execution_duration_ms.label("duration_ms"),
    ).join_from(log, AUTOMATIONS, AUTOMATIONS.c.id == log.c.automation_id)


def _details(log: Table) -> Select[Any]:
    return _summaries(log).add_columns(
        log.c.trigger_event.label("event"),
        log.c.conditions_result.label("verdicts"),
        log.c.actions_executed.label("results"),
    )


def _detail(row: Row[Any]) -> ExecutionDetail:
    columns = _mapping(row)
    return ExecutionDetail.model_validate(
        {**columns, "verdicts": columns["verdicts"] or [], "results": columns["results"] or []}
    )


def _mapping(row: Row[Any]) -> Any:
    return row._mapping  # noqa: SLF001 - SQLAlchemy's documented name for a row's columns


_T: Final = TIMERS.c


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
            .join_from(TIMERS, AUTOMATIONS, AUTOMATIONS.c.id == _T.workflow_id)
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
