"""What became of workflows' newest executions, for lists that show it beside each of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller


class RecentRunsStore(Protocol):
    """The log, as the caller may see it."""

    async def counted(
        self, caller: Caller, workflow_ids: Sequence[UUID], since: datetime, most: int
    ) -> Mapping[UUID, Mapping[str, int]]:
        """Count by status the newest executions since a moment, at most ``most`` of each workflow."""
