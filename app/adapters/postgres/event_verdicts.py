"""What became of events, read for people: see :class:`app.ports.event_verdicts.TraceStore`.

Workflows, their revisions, their rows of the log and what waits are read as the caller, so that row level security says
whose they are. Dead letters belong to nobody: they are read in the API's own role, for who may see events.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, case, cast, func, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.going_on import goes_on, half_open_times
from app.adapters.postgres.logged_rows import verdicts_of
from app.adapters.postgres.schema import AUTOMATIONS, DEAD_LETTERS, LOGS, REVISIONS, TIMERS
from app.domain.callers import Caller
from app.domain.ids import execution_id
from app.ports.event_topics import TopicPlace
from app.ports.event_verdicts import InForce, KnownWorkflow, Letter, LoggedRun, Moment, Traces, WaitingRun, Wanted
from app.services.delivery.letter_subjects import MAX_NAMED_CHARS, execution_named

# Of one row; more of them are a click away, in the execution itself.
MAX_VERDICT_BYTES: Final = 16 * 1024
_MOST_LETTERS: Final = 50
_A: Final = AUTOMATIONS.c
_R: Final = REVISIONS.c
_T: Final = TIMERS.c
_L: Final = DEAD_LETTERS.c
# A revision's number is its place in time: the database counts them, and gives each the time of its writing.
_IN_FORCE: Final = text("""
SELECT asked.place, r.version, r.created_at, coalesce(r.body ->> 'active' = 'true', false)
    AND NOT coalesce(r.body ->> 'deleted' = 'true', false), r.body -> 'trigger' ->> 'type', later.created_at,
  EXISTS (SELECT FROM automation_revisions n WHERE n.automation_id = asked.id
    AND n.created_at BETWEEN asked.at - interval '2 seconds' AND asked.at + interval '2 seconds')
FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[])) WITH ORDINALITY AS asked (id, at, place)
LEFT JOIN LATERAL (SELECT version, created_at, body FROM automation_revisions
  WHERE automation_id = asked.id AND created_at <= asked.at ORDER BY version DESC LIMIT 1) AS r ON true
LEFT JOIN LATERAL (SELECT created_at FROM automation_revisions
  WHERE automation_id = asked.id AND created_at > asked.at AND body ->> 'active' = 'true'
  ORDER BY version LIMIT 1) AS later ON true
""")


class PostgresTraces:
    """Implements ``app.ports.event_verdicts.TraceStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def traces(self, caller: Caller, wanted: Wanted, most: int) -> Traces:
        """Read which workflows have rows first: they count, whatever they wait for now."""
        log = LOGS.c
        of_events = (log.event_id.in_([event_id for _, event_id in wanted.events]), log.executed_at >= wanted.since)
        async with self._database.reading(caller) as connection:
            logged = await connection.execute(select(log.automation_id).where(*of_events).distinct())
            named = wanted.workflows | {row[0] for row in logged}
            counted = func.count().over().label("all")
            statement = (
                select(_A.id, _A.name, _A.trigger_type, _A.active, _A.created_at, _A.deleted_at, counted)
                .where(or_(_A.trigger_type.in_(wanted.types), _A.id.in_(named)))
                .order_by(_A.deleted_at.is_not(None), _A.active.desc(), _A.priority, _A.id)
                .limit(most)
            )
            rows = (await connection.execute(statement)).all()
            found = [KnownWorkflow(*row[:-1]) for row in rows]
            # By id: of those alone, and of all of those. Other sources' events may have the same ids.
            ids = [execution_id(workflow.id, *event) for event in wanted.events for workflow in found]
            runs = await _runs(connection, (*of_events, log.id.in_(ids)))
        return Traces(found, rows[0][-1] - len(rows) if rows else 0, runs)

    async def waiting(self, caller: Caller, executions: Sequence[UUID]) -> Mapping[UUID, WaitingRun]:
        """Read timers."""
        columns = (_T.execution_id, _T.reason, _T.due, _T.destination, func.now().label("now"))
        statement = select(*columns).where(_T.execution_id.in_(executions)).order_by(_T.due)
        async with self._database.reading(caller) as connection:
            rows = (await connection.execute(statement)).all()
        times = await half_open_times(self._database, [row.destination for row in rows])
        return {
            row.execution_id: WaitingRun(row.reason, goes_on(row.due, times.get(row.destination), row.now))
            for row in rows
        }

    async def in_force(self, caller: Caller, moments: Sequence[Moment]) -> Mapping[Moment, InForce]:
        """Look each up by its workflow, newest revision first."""
        asked = {"ids": [moment.workflow_id for moment in moments], "ats": [moment.at for moment in moments]}
        async with self._database.reading(caller) as connection:
            return {moments[row[0] - 1]: InForce(*row[1:]) for row in await connection.execute(_IN_FORCE, asked)}

    async def revisions(self, caller: Caller, wanted: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], Any]:
        """Read bodies."""
        statement = select(_R.automation_id, _R.version, _R.body).where(
            tuple_(_R.automation_id, _R.version).in_(wanted)
        )
        async with self._database.reading(caller) as connection:
            return {(row[0], row[1]): row[2] for row in await connection.execute(statement)}

    async def letters(self, event_ids: Collection[str], places: Sequence[tuple[TopicPlace, int]]) -> Sequence[Letter]:
        """Read those of the events, and those of the records: not each tells which event it is."""
        at = tuple_(_L.topic, _L.partition, _L.offset).in_([(*place, offset) for place, offset in places])
        about = _L.event_id.in_([name[:MAX_NAMED_CHARS] for name in event_ids])
        statement = (
            select(
                _L.id, _L.topic, _L.partition, _L.offset, _L.event_id, _L.source, _L.reason, _L.detail, _L.role,
                _L.value,
            )
            .where(or_(about, at)).order_by(_L.id.desc()).limit(_MOST_LETTERS)
        )  # fmt: skip
        async with self._database.serving() as connection:
            rows = (await connection.execute(statement)).all()
        return [
            Letter(row[0], TopicPlace(row[1], row[2]), *row[3:9], execution_id=execution_named(row[9])) for row in rows
        ]


async def _runs(connection: AsyncConnection, which: Sequence[ColumnElement[bool]]) -> Sequence[LoggedRun]:
    log = LOGS.c
    small = func.octet_length(cast(log.conditions_result, Text)) <= MAX_VERDICT_BYTES
    statement = (
        select(
            log.id, log.automation_id, log.event_id, log.version, log.attempt, log.status, log.conditions_met,
            log.error_message, log.executed_at,
            case(((log.attempt == 0) & small, log.conditions_result)).label("verdicts"),
        )
        .where(*which)
    )  # fmt: skip
    rows: Sequence[Any] = (await connection.execute(statement)).all()
    return [replace(LoggedRun(*row), verdicts=verdicts_of(row.id, row.verdicts)) for row in rows]
