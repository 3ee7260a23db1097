"""Entries in memory; they pass the same contract tests as those in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.domain.reentry import may_enter
from app.ports import Entry


@dataclass
class MemoryEntries:
    """Implements ``app.ports.Entries``.

    Attributes:
        asked: Batches that asked.
    """

    asked: int = 0
    _last: dict[tuple[UUID, str, str], datetime] = field(default_factory=dict)
    _executions: set[UUID] = field(default_factory=set)

    async def enter(self, asking: Sequence[Entry]) -> Sequence[datetime | None]:
        """Let executions in."""
        self.asked += bool(asking)
        return [self._enter(entry) for entry in asking]

    def _enter(self, entry: Entry) -> datetime | None:
        if entry.execution_id in self._executions:
            return None
        key = (entry.workflow_id, entry.key, entry.entity)
        last = self._last.get(key)
        if not may_enter(entry.at, last, entry.window):
            return last
        self._last[key] = entry.at
        self._executions.add(entry.execution_id)
        return None
