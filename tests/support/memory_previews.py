"""The log of a publish preview in memory, held to the same contract tests as the one in Postgres."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.domain.callers import Caller
from app.ports.preview import LoggedEvent

OTHERS_WITHIN = timedelta(days=7)


class MemoryPreviews:
    """Implements ``app.ports.preview.PreviewStore``.

    Attributes:
        owners: Whose each workflow is.
        logged: Rows of the log.
        timers: How many executions of each workflow wait.
    """

    def __init__(self) -> None:
        self.owners: dict[UUID, UUID] = {}
        self.logged: list[LoggedEvent] = []
        self.timers: Counter[UUID] = Counter()

    async def waiting(self, caller: Caller, workflow_id: UUID, most: int) -> int:
        """Count what waits of a workflow that is the caller's to see."""
        return min(self.timers[workflow_id], most) if self._sees(caller, workflow_id) else 0

    async def events(self, caller: Caller, workflow_id: UUID, event_type: str, most: int) -> Sequence[LoggedEvent]:
        """Return the workflow's own rows, and where those are few, the caller's others'."""
        seen = [row for row in self.logged if self._sees(caller, row.workflow_id) and row.event["type"] == event_type]
        own = _newest([row for row in seen if row.workflow_id == workflow_id])[:most]
        if len(own) < most:
            since = datetime.now(UTC) - OTHERS_WITHIN
            own += _newest([row for row in seen if row.workflow_id != workflow_id and row.executed_at >= since])[:most]
        once = {(row.event["source"], row.event["id"]): row for row in reversed(own)}
        return _newest(list(once.values()))[:most]

    def _sees(self, caller: Caller, workflow_id: UUID) -> bool:
        return caller.role == "admin" or self.owners.get(workflow_id) == caller.user_id


def _newest(rows: list[LoggedEvent]) -> list[LoggedEvent]:
    return sorted(rows, key=lambda row: (row.executed_at, row.id), reverse=True)
