"""The overview's figures from Postgres: an administrator's along the index of statuses, others' workflow by workflow.

Row level security is a filter, and a filter finds the rows of one who has few by reading everybody's: what a caller
owns is asked for by workflow, and only of those that have rows in the day.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres import overview_sql as sql
from app.adapters.postgres.api_engine import ApiDatabase
from app.domain.alert_states import Standing, Wrong
from app.domain.callers import Caller
from app.domain.times import shifted
from app.ports.overview import Failing, FailingWorkflow, Sampled

MOST_LOOKED_AT: Final = 6_000
_HOURS: Final = 24
_STATUSES: Final = 7
_FAILURES: Final = 2000
# Clocks may be ahead.
_AHEAD: Final = timedelta(days=1)


class PostgresOverview:
    """Implements ``app.ports.overview.OverviewStore``.

    Args:
        database: The API's pool.
        most: How many executions of a day are looked at; all are counted.
    """

    def __init__(self, database: ApiDatabase, *, most: int = MOST_LOOKED_AT) -> None:
        self._database = database
        self._most = most

    async def day(self, caller: Caller, since: datetime, until: datetime) -> Sequence[Sampled]:
        """Return the day."""
        given: dict[str, Any] = {"since": since, "until": until}
        if caller.role == "admin":
            given["each"] = max(1, self._most // (_HOURS * _STATUSES))
            async with self._database.serving() as connection:
                return await _sampled(connection, sql.DAY, given)
        async with self._database.reading(caller) as connection:
            ids = await _own(connection, caller, since, until)
            given |= {"ids": ids, "each": max(1, self._most // (_HOURS * max(1, len(ids))))}
            return await _sampled(connection, sql.DAY_OF, given) if ids else []

    async def due(self, caller: Caller, since: datetime, until: datetime) -> Mapping[int, int]:
        """Count it; what is due already goes on in the first hour."""
        statement = sql.due(own=caller.role != "admin")
        given = {"since": since, "until": until} | ({} if caller.role == "admin" else {"caller": caller.user_id})
        async with self._database.reading(caller) as connection:
            return {row.hour: row.number for row in await connection.execute(statement, given)}

    async def failing(self, caller: Caller, since: datetime, recent: datetime) -> Failing:
        """Return it; a workflow that is gone is still told of."""
        given: dict[str, Any] = {"since": since, "recent": recent}
        own = caller.role != "admin"
        async with self._database.reading(caller) as connection:
            if own:
                given["ids"] = await _own(connection, caller, since, shifted(recent, _AHEAD))
            rows = (await connection.execute(sql.failing(own=own), given)).all()
        most = [
            FailingWorkflow(row.workflow_id, row.name, row.failures, row.error, row.times)
            for row in rows
            if row.workflow_id is not None
        ]
        return Failing(most, rows[0].executions, rows[0].workflows, is_whole=rows[0].looked_at <= _FAILURES)

    async def alerts(self) -> Mapping[str, Standing]:
        """Return them, without the readings that increases are counted from."""
        async with self._database.serving() as connection:
            rows = (await connection.execute(sql.ALERTS)).all()
        return {row.name: Standing({name: Wrong(*found) for name, found in row.subjects.items()}) for row in rows}


async def _own(connection: AsyncConnection, caller: Caller, since: datetime, until: datetime) -> list[UUID]:
    given = {"caller": caller.user_id, "since": since, "until": until}
    return [row.id for row in await connection.execute(sql.OWN, given)]


async def _sampled(connection: AsyncConnection, statement: Any, given: Mapping[str, Any]) -> list[Sampled]:
    return [
        Sampled(row.hour, row.status, row.number, row.ms, row.failed_steps, row.is_counted)
        for row in await connection.execute(statement, given)
    ]
