"""Executions that wait: for a delay to be over, or for a retry that is too long to sit out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.domain.paging import Page, Position, page_of
from app.ports import TimerKind
from schemas.base import Contract


class WaitingExecution(Contract):
    """One execution that waits.

    Attributes:
        id: The execution's.
        command_id: Of the step that waits, or whose delay it is.
        step: That step, from 0.
        kind: What it waits for.
        reason: The same in words.
        due: When it goes on.
        since: When it began to wait.
    """

    id: UUID
    command_id: UUID
    workflow_id: UUID
    workflow_name: str
    entity: str
    step: int
    kind: TimerKind
    reason: str
    due: datetime
    since: datetime


class WaitingStore(Protocol):
    """Where they are kept."""

    async def find(
        self, caller: Caller, workflow_id: UUID | None, entity: str | None, after: Position | None, limit: int
    ) -> Sequence[WaitingExecution]:
        """Return at most ``limit`` of workflows the caller may see, those due first first, after a position."""


class WaitingService:
    """The use case.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: WaitingStore) -> None:
        self._store = store

    async def find(
        self, caller: Caller, workflow_id: UUID | None, entity: str | None, after: Position | None, limit: int
    ) -> Page[WaitingExecution]:
        """List executions that wait, those due first first."""
        rows = await self._store.find(caller, workflow_id, entity, after, limit + 1)
        return page_of(rows, limit, lambda row: Position(row.due, row.command_id))
