"""How workflows did of late: of each, how many executions succeeded, failed and did not run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.domain.callers import Caller
from app.domain.statuses import ExecutionStatus
from app.ports.recent_runs import RecentRunsStore

SPAN: Final = timedelta(days=1)
# Of each workflow: a bar of so many has the same shape as one of all, and a list takes no longer for a busy one.
MOST: Final = 500
_FAILED: Final = frozenset({ExecutionStatus.FAILED, ExecutionStatus.PARTIAL, ExecutionStatus.TIMED_OUT})
_SKIPPED: Final = frozenset({ExecutionStatus.SKIPPED, ExecutionStatus.BLOCKED})


@dataclass(frozen=True, slots=True)
class RecentRuns:
    """What became of a workflow's newest executions.

    Attributes:
        succeeded: Also those that a step ended early, as the workflow says.
        failed: Wholly or partly, or out of time.
        skipped: Those that did not run: conditions not met, or not allowed to enter again, or a loop.
    """

    succeeded: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def total(self) -> int:
        """How many there were."""
        return self.succeeded + self.failed + self.skipped

    @property
    def are_more(self) -> bool:
        """Whether there may be more than were counted."""
        return self.total >= MOST


class RecentRunsService:
    """The use case.

    Args:
        store: The log.
    """

    def __init__(self, store: RecentRunsStore) -> None:
        self._store = store

    async def of(self, caller: Caller, workflow_ids: Sequence[UUID], now: datetime) -> Mapping[UUID, RecentRuns]:
        """Say it of the last 24 hours, for each of the workflows."""
        found = await self._store.counted(caller, workflow_ids, now - SPAN, MOST) if workflow_ids else {}
        return {one: _summed(found.get(one, {})) for one in workflow_ids}


def _summed(by_status: Mapping[str, int]) -> RecentRuns:
    failed = sum(count for status, count in by_status.items() if status in _FAILED)
    skipped = sum(count for status, count in by_status.items() if status in _SKIPPED)
    return RecentRuns(sum(by_status.values()) - failed - skipped, failed, skipped)
