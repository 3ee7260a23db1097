"""The execution log: what ran, what did not, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from pydantic import Field

from app.domain.callers import Caller
from app.domain.errors import NotFoundError
from app.domain.paging import Page, Position, page_of
from app.services.operations.explanations import explain
from schemas.base import Contract
from schemas.execution import Status
from schemas.result import ActionResult


class ExecutionSummary(Contract):
    """One line of the log.

    Attributes:
        attempt: 0 where nothing ran, else the attempt that this row tells of.
        executed_at: When the event was matched.
        duration_ms: From matching to the end of the last step.
    """

    id: UUID
    workflow_id: UUID
    workflow_name: str
    version: int
    attempt: int
    entity: str | None
    event_id: str | None
    event_type: str | None
    status: Status
    conditions_met: bool
    error: str | None
    executed_at: datetime
    duration_ms: int | None


class ExecutionDetail(ExecutionSummary):
    """An execution in full: the event, each condition's verdict, each action's result, and why, in a sentence."""

    explanation: str = ""
    event: dict[str, Any]
    verdicts: list[dict[str, Any]] = Field(default_factory=list)
    results: list[ActionResult] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """Which executions to list; all that is given must hold. ``since`` is inclusive, ``until`` exclusive."""

    workflow_id: UUID | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    entity: str | None = None
    event_id: str | None = None


class ExecutionStore(Protocol):
    """Where executions are kept."""

    async def find(
        self, caller: Caller, wanted: ExecutionFilter, after: Position | None, limit: int
    ) -> Sequence[ExecutionSummary]:
        """Return at most ``limit`` executions of workflows the caller may see, newest first, after a position."""

    async def get(self, caller: Caller, execution_id: UUID) -> ExecutionDetail | None:
        """Return one of a workflow the caller may see, also from the archive."""


class ExecutionService:
    """The use cases.

    Args:
        store: Where executions are kept.
    """

    def __init__(self, store: ExecutionStore) -> None:
        self._store = store

    async def find(
        self, caller: Caller, wanted: ExecutionFilter, after: Position | None, limit: int
    ) -> Page[ExecutionSummary]:
        """List executions, newest first."""
        rows = await self._store.find(caller, wanted, after, limit + 1)
        return page_of(rows, limit, lambda row: Position(row.executed_at, row.id))

    async def get(self, caller: Caller, execution_id: UUID) -> ExecutionDetail:
        """Return one, explained.

        Raises:
            NotFoundError: There is none that the caller may see.
        """
        found = await self._store.get(caller, execution_id)
        if found is None:
            raise NotFoundError("There is no such execution")
        why = explain(
            found.status,
            conditions_met=found.conditions_met,
            verdicts=found.verdicts,
            results=found.results,
            error=found.error,
        )
        return found.model_copy(update={"explanation": why})
