"""Pages of the execution log: the statement of one span of time, in the form that an index answers.

Row level security is a filter, and a filter finds rows of one who has few by reading everybody's. So what a caller owns
is asked for workflow by workflow, and several statuses one by one: each is the beginning of an index in the list's own
order, and the statement reads as many of its rows as the page has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    UnaryExpression,
    Uuid,
    bindparam,
    false,
    func,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)

from app.adapters.postgres.schema import AUTOMATIONS, LOGS
from app.domain.paging import Position
from app.domain.spans import Span
from app.ports.executions import ExecutionFilter

_ONE_BY_ONE: Final = 200
LISTED: Final = (
    *("id", "automation_id", "version", "attempt", "entity", "event_id", "event_type", "status", "conditions_met"),
    *("error_message", "executed_at", "execution_duration_ms"),
)

# As the index of them has it, word by word: else Postgres looks whether each row is one.
TROUBLE: Final = "(error_message IS NOT NULL OR status IN ('failed', 'partial', 'timed_out', 'blocked', 'stopped'))"

_Conditions = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is of.

    Attributes:
        own: Workflows that the caller has; None for those of everybody.
        named: Of the workflows that the caller may see those whose name has the words.
        after: The row that the page follows.
    """

    wanted: ExecutionFilter
    own: Sequence[UUID] | None
    named: Sequence[UUID]
    after: Position | None
    limit: int


def page(asked: Asked, span: Span) -> Select[Any] | None:
    """Return the statement of a page's rows within a span; None where there can be none."""
    parts = [part for ids, extra in _worded(asked) for part in _parts(asked, ids, [*extra, *_common(asked, span)])]
    if not parts:
        return None
    rows = (union_all(*(select(part.subquery()) for part in parts)) if len(parts) > 1 else parts[0]).subquery("rows")
    return summaries(rows).order_by(*_order(asked.wanted, rows)).limit(asked.limit)


def summaries(log: FromClause) -> Select[Any]:
    """Return what a list shows of rows of the log."""
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


def workflows(words: str | None) -> Select[Any]:
    """Return the statement of the workflows that the caller may see, and which have the words in their name."""
    named = false() if words is None else AUTOMATIONS.c.name.icontains(words, autoescape=True)
    return select(AUTOMATIONS.c.id, named.label("named"))


def edge_of_words(wanted: ExecutionFilter, span: Span, rows: int) -> Select[Any]:
    """Return the statement of the time until which a span has so many rows that tell of trouble, as the list goes.

    Times and workflows are in the index of those rows, in which it is answered without them.
    """
    at = LOGS.c.executed_at
    conditions: list[ColumnElement[bool]] = [literal_column(TROUBLE, Boolean)]
    conditions += [at.op(">=")(span.since)] if span.since is not None else []
    conditions += [at.op("<")(span.until)] if span.until is not None else []
    if wanted.workflow_id is not None:
        conditions.append(LOGS.c.automation_id == wanted.workflow_id)
    order = at.asc() if wanted.oldest_first else at.desc()
    return select(at).where(*conditions).order_by(order).offset(rows).limit(1)


def _worded(asked: Asked) -> list[tuple[Sequence[UUID] | None, _Conditions]]:
    """Return which workflows to look into, and what must hold of their rows: words are in the name, or in an error."""
    wanted = asked.wanted
    ids: Sequence[UUID] | None = [wanted.workflow_id] if wanted.workflow_id is not None else asked.own
    if wanted.search is None:
        return [(ids, ())]
    error = LOGS.c.error_message
    told = [error.is_not(None), error.icontains(wanted.search, autoescape=True)]
    named = [one for one in asked.named if ids is None or one in ids]
    if ids is None:
        return [(named, ()), (None, [*told, LOGS.c.automation_id != func.all(_array(named))])]
    return [(named, ()), ([one for one in ids if one not in set(named)], told)]


def _parts(asked: Asked, ids: Sequence[UUID] | None, conditions: _Conditions) -> list[Select[Any]]:
    """Return the statements whose rows together are the page's, each in its order and no longer than the page."""
    wanted = asked.wanted
    if ids is not None and not ids:
        return []
    direct = wanted.entity is not None or wanted.event_id is not None
    if ids is None and len(wanted.statuses) > 1 and not direct:
        return [_newest(asked, [*conditions, LOGS.c.status == one]) for one in wanted.statuses]
    of = [LOGS.c.status.in_(wanted.statuses)] if wanted.statuses else []
    if ids is None:
        return [_newest(asked, [*conditions, *of])]
    if direct or len(ids) == 1 or len(ids) > _ONE_BY_ONE:
        return [_newest(asked, [*conditions, *of, LOGS.c.automation_id == func.any(_array(ids))])]
    return [_each(asked, ids, [*conditions, *of])]


def _each(asked: Asked, ids: Sequence[UUID], conditions: _Conditions) -> Select[Any]:
    owned = func.unnest(_array(ids)).table_valued("id").render_derived(name="owned")
    newest = _newest(asked, [*conditions, LOGS.c.automation_id == owned.c.id]).lateral("newest")
    found = select(newest).select_from(owned).join(newest, true())
    return found.order_by(*_order(asked.wanted, newest)).limit(asked.limit)


def _newest(asked: Asked, conditions: _Conditions) -> Select[Any]:
    columns = [LOGS.c[name] for name in LISTED]
    return select(*columns).where(*conditions).order_by(*_order(asked.wanted, LOGS)).limit(asked.limit)


def _common(asked: Asked, span: Span) -> list[ColumnElement[bool]]:
    wanted, at = asked.wanted, LOGS.c.executed_at
    given = ((LOGS.c.event_type, wanted.event_type), (LOGS.c.entity, wanted.entity), (LOGS.c.event_id, wanted.event_id))
    conditions = [column == value for column, value in given if value is not None]
    if span.since is not None:
        conditions.append(at >= span.since)
    if span.until is not None:
        conditions.append(at < span.until)
    if asked.after is not None:
        here, there = tuple_(at, LOGS.c.id), tuple_(asked.after.at, asked.after.id)
        # The time by itself says nothing new, but lets the planner leave out other days' partitions.
        beyond = [at >= asked.after.at, here > there] if wanted.oldest_first else [at <= asked.after.at, here < there]
        conditions += beyond
    return conditions


def _order(wanted: ExecutionFilter, rows: FromClause) -> tuple[UnaryExpression[Any], UnaryExpression[Any]]:
    at, row_id = rows.c.executed_at, rows.c.id
    return (at.asc(), row_id.asc()) if wanted.oldest_first else (at.desc(), row_id.desc())


def _array(ids: Sequence[UUID]) -> Any:
    return bindparam(None, list(ids), type_=ARRAY(Uuid), unique=True)
