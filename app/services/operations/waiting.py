"""Executions that wait: for a delay to be over, or for a retry that is too long to sit out."""

from uuid import UUID

from app.domain.callers import Caller
from app.domain.paging import Page, Position, page_of
from app.ports.executions import WaitingExecution, WaitingStore


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
