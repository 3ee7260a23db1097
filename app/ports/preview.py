"""What a publish preview asks of the log and of what waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.domain.callers import Caller


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event that the log holds.

    Attributes:
        id: The execution's.
        workflow_id: Whose execution holds it.
        status: How that ended.
        event: As it was matched.
    """

    id: UUID
    workflow_id: UUID
    executed_at: datetime
    status: str
    conditions_met: bool
    event: dict[str, Any]


class PreviewStore(Protocol):
    """The log, and what waits, as the caller may see them."""

    async def waiting(self, caller: Caller, workflow_id: UUID, most: int) -> int:
        """Count the executions of a workflow that wait, up to ``most``."""

    async def events(self, caller: Caller, workflow_id: UUID, event_type: str, most: int) -> Sequence[LoggedEvent]:
        """Return the newest events of a type, each once, newest first: the workflow's own row where it has one."""
