"""The execution log in Postgres, as the API reads it: ``automation_logs``, and its archive for a single execution."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, Table, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.execution_pages import Asked, edge_of_words, page, summaries, workflows
from app.adapters.postgres.going_on import goes_on, half_open_times
from app.adapters.postgres.logged_rows import detail, summary
from app.adapters.postgres.schema import ARCHIVE, AUTOMATIONS, LOGS, TIMERS
from app.domain.callers import Caller
from app.domain.paging import LookedThrough, Position
from app.domain.spans import STEPS, Paced, Span, going_back, going_on
from app.domain.times import shifted
from app.ports.executions import ExecutionDetail, ExecutionFilter, ExecutionSummary, WaitingExecution

_WORDS_WITHIN: Final = timedelta(7)
# Upkeep may be late with what leaves the log, and clocks may be ahead with what enters it.
_LATE: Final = timedelta(2)
_AHEAD: Final = timedelta(8)
_TICK: Final = timedelta(microseconds=1)
# How far on, and among how many executions of the same entity, it is looked for what one has led to.
_LED_TO_WITHIN: Final = timedelta(1)
_LED_TO_OF: Final = 200
_PATIENCE_WITHOUT_ROWS: Final = 20
_FIRST: Final = UUID(int=0)
_LAST: Final = UUID(int=2**128 - 1)


class PostgresExecutions:
    """Implements ``app.ports.executions.ExecutionStore``.

    Args:
        database: The API's pool.
        kept: How long the log holds what ran before it goes to the archive.
        words_in: In how many rows that tell of trouble words are looked for at a time.
        patience: Seconds after which a page of filters that no index answers together goes no further; one that has
            nothing yet goes on for twenty times as long, as whoever asked for it would ask again.
        clock: Monotonic seconds, as patience is measured in.
    """

    def __init__(
        self,
        database: ApiDatabase,
        kept: timedelta = timedelta(90),
        *,
        words_in: int = 3000,
        patience: float = 0.05,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._kept = kept + _LATE
        self._words_in = words_in
        self._patience = patience
        self._clock = clock

    async def find(
        self, caller: Caller, wanted: ExecutionFilter, after: Position | None, limit: int
    ) -> Sequence[ExecutionSummary]:
        """Return a page; as much of the log is looked at as it takes, from one end on, or as patience allows."""
        async with self._database.reading(caller) as connection:
            own, named = await _known(connection, caller, wanted)
            asked, rows = Asked(wanted, own, named, after, limit), list[ExecutionSummary]()
            paced, began = Paced(self._kept) if _is_crossed(wanted, own) else None, self._clock()
            for whole in _spans(wanted, after, self._oldest(), paced or STEPS):
                turn = self._clock()
                span = whole if wanted.search is None else await self._narrowed(connection, wanted, whole)
                statement = page(replace(asked, limit=limit - len(rows)), span)
                found = [] if statement is None else await connection.execute(statement)
                rows += [summary(_mapping(row)) for row in found]
                if len(rows) == limit or statement is None:
                    break
                if paced is not None:
                    paced.note(self._clock() - turn)
                patience = self._patience * (1 if rows else _PATIENCE_WITHOUT_ROWS)
                enough = wanted.search is not None or (paced is not None and self._clock() - began >= patience)
                if enough and (end := _end(wanted, span, self._oldest())) is not None:
                    return LookedThrough(rows, end)
        return rows

    async def _narrowed(self, connection: AsyncConnection, wanted: ExecutionFilter, whole: Span) -> Span:
        """Return as much of a span as has so many rows to look for words in: a day's trouble may be a month's."""
        edge = (await connection.execute(edge_of_words(wanted, whole, self._words_in))).scalar_one_or_none()
        if edge is None:
            return whole
        return Span(whole.since, edge + _TICK) if wanted.oldest_first else Span(edge, whole.until)

    def _oldest(self) -> datetime:
        return datetime.now(UTC) - self._kept

    async def get(self, caller: Caller, execution_id: UUID) -> ExecutionDetail | None:
        """Return one, from the log or else the archive."""
        async with self._database.reading(caller) as connection:
            for table in (LOGS, ARCHIVE):
                statement = _details(table).where(table.c.id == execution_id).order_by(table.c.attempt.desc()).limit(1)
                row = (await connection.execute(statement)).one_or_none()
                if row is not None:
                    return detail(_mapping(row))
        return None

    async def led_to(self, caller: Caller, cause: ExecutionSummary, limit: int) -> Sequence[ExecutionSummary]:
        """Return what it led to, of the next executions about its entity: no index has what an event was caused by."""
        if cause.entity is None:
            return []
        at = LOGS.c.executed_at
        span = (at >= cause.executed_at, at < shifted(cause.executed_at, _LED_TO_WITHIN))
        near = select(LOGS).where(LOGS.c.entity == cause.entity, *span).order_by(at).limit(_LED_TO_OF).subquery("near")
        # The chain's last link is what made the event; those before it led to that.
        caused = near.c.trigger_event["causation"].astext.like(f"%/{cause.id}")
        statement = summaries(near).where(caused).order_by(near.c.executed_at).limit(limit)
        async with self._database.reading(caller) as connection:
            return [summary(_mapping(row)) for row in await connection.execute(statement)]


async def _known(
    connection: AsyncConnection, caller: Caller, wanted: ExecutionFilter
) -> tuple[list[UUID] | None, list[UUID]]:
    """Return the workflows that the caller is confined to, if any, and those that have the words in their name."""
    everybodys = caller.role == "admin"
    direct = any(one is not None for one in (wanted.workflow_id, wanted.entity, wanted.event_id))
    if wanted.search is None and (everybodys or direct):
        return None, []
    rows = (await connection.execute(workflows(wanted.search))).all()
    own = None if everybodys else [row.id for row in rows]
    return own, [row.id for row in rows if row.named]


def _is_crossed(wanted: ExecutionFilter, own: list[UUID] | None) -> bool:
    """Tell whether one filter's index may lead to many rows of which another leaves none."""
    if wanted.event_id is not None:
        return False
    narrowed = (wanted.workflow_id, wanted.event_type, wanted.entity, wanted.statuses or None, own)
    return sum(one is not None for one in narrowed) > 1


def _spans(
    wanted: ExecutionFilter, after: Position | None, oldest: datetime, steps: Iterable[timedelta]
) -> Iterator[Span]:
    """Yield the spans to look into; words are looked for in one of a week alone, and the next page goes on."""
    since, until, now = wanted.since, wanted.until, datetime.now(UTC)
    if wanted.oldest_first:
        since = max((one for one in (since, after.at if after else None) if one is not None), default=None)
        spans = going_on(since, until, oldest, steps)
    else:
        last = None if after is None else shifted(after.at, _TICK)
        until = last if until is None or (last is not None and last < until) else until
        spans = going_back(since, until, now, steps)
    return spans if wanted.search is None else iter([_week(wanted, Span(since, until), oldest, now)])


def _week(wanted: ExecutionFilter, whole: Span, oldest: datetime, now: datetime) -> Span:
    since, until = whole.since, whole.until
    if wanted.oldest_first:
        edge = shifted(since or oldest, _WORDS_WITHIN)
        return Span(since, edge if until is None else min(until, edge))
    edge = shifted(min(until or now, now), -_WORDS_WITHIN)
    return Span(edge if since is None else max(since, edge), until)


def _end(wanted: ExecutionFilter, looked: Span, oldest: datetime) -> Position | None:
    """Return where the next page goes on after a span that was looked through; None at the end of what is asked."""
    if wanted.oldest_first:
        end = datetime.now(UTC) + _AHEAD if wanted.until is None else wanted.until
        # Of the next span's first moment every row is still to be looked at.
        return None if looked.until is None or looked.until >= end else Position(shifted(looked.until, -_TICK), _LAST)
    if looked.since is None or looked.since <= max(oldest, wanted.since or oldest):
        return None
    return Position(looked.since, _FIRST)


def _details(log: Table) -> Select[Any]:
    return summaries(log).add_columns(
        log.c.trigger_event.label("event"),
        log.c.conditions_result.label("verdicts"),
        log.c.actions_executed.label("results"),
    )


def _mapping(row: Row[Any]) -> Any:
    return row._mapping  # noqa: SLF001 - SQLAlchemy's documented name for a row's columns


_T: Final = TIMERS.c
# The action type in its topic's name (``app.topics``); the sink's has none: the execution ends then.
_ACTION: Final = re.compile(r"actions\.([a-z0-9_]+)(?:\.high)?$")


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
                _T.topic,
                _T.reason,
                _T.due,
                _T.destination,
                _T.created_at.label("since"),
                func.now().label("now"),
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
        times = await half_open_times(self._database, [row["destination"] for row in rows])
        return [_waiting(dict(row), times) for row in rows]


def _waiting(row: dict[str, Any], times: Mapping[str | None, datetime]) -> WaitingExecution:
    at = goes_on(row["due"], times.get(row.pop("destination")), row.pop("now"))
    # Not in the statement: it would be worked out for all that wait before they are put in order.
    action = _ACTION.search(row.pop("topic"))
    return WaitingExecution.model_validate({**row, "next_action": action[1] if action else None, "goes_on": at})
