"""What a publish preview asks of Postgres: the newest events of a type in the log, and how much waits."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, func, select

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.logged_rows import event_of
from app.adapters.postgres.page_bytes import within_bytes
from app.adapters.postgres.schema import AUTOMATIONS, LOGS, TIMERS
from app.domain.callers import Caller
from app.ports.preview import LoggedEvent

# How far back other workflows' rows are looked for: an event of last month says little of what comes.
_OTHERS_WITHIN: Final = timedelta(days=7)
_L: Final = LOGS.c
_ORDER: Final = ("executed_at", "id")


class PostgresPreviews:
    """Implements ``app.ports.preview.PreviewStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def waiting(self, caller: Caller, workflow_id: UUID, most: int) -> int:
        """Count timers, up to a bound."""
        some = select(TIMERS.c.command_id).where(TIMERS.c.workflow_id == workflow_id).limit(most).subquery()
        async with self._database.reading(caller) as connection:
            return int((await connection.execute(select(func.count()).select_from(some))).scalar_one())

    async def events(self, caller: Caller, workflow_id: UUID, event_type: str, most: int) -> Sequence[LoggedEvent]:
        """Return the workflow's own rows, and where those are few, others' of the same type."""
        own = _rows(most).where(_L.automation_id == workflow_id, _L.event_type == event_type)
        since = datetime.now(UTC) - _OTHERS_WITHIN
        others = _rows(most).where(
            _L.event_type == event_type,
            _L.executed_at >= since,
            _L.automation_id != workflow_id,
            _L.automation_id.in_(select(AUTOMATIONS.c.id)),
        )
        async with self._database.reading(caller) as connection:
            rows = list(await within_bytes(connection, own, _ORDER, ("event",), _event))
            if len(rows) < most:
                rows += await within_bytes(connection, others, _ORDER, ("event",), _event)
        return _once(rows)[:most]


def _rows(most: int) -> Select[Any]:
    columns = (_L.id, _L.automation_id, _L.executed_at, _L.status, _L.conditions_met, _L.trigger_event.label("event"))
    return select(*columns).order_by(_L.executed_at.desc(), _L.id.desc()).limit(most)


def _event(row: Row[Any]) -> LoggedEvent:
    return LoggedEvent(
        row.id, row.automation_id, row.executed_at, row.status, row.conditions_met, event_of(row.id, row.event)
    )


def _once(rows: Sequence[LoggedEvent]) -> list[LoggedEvent]:
    """Return each event once, the row that came first, newest first."""
    known: dict[tuple[Any, Any], LoggedEvent] = {}
    for row in rows:
        known.setdefault((str(row.event.get("source")), str(row.event.get("id"))), row)
    return sorted(known.values(), key=lambda row: (row.executed_at, row.id), reverse=True)
