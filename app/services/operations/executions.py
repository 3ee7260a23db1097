"""The execution log: what ran, what did not, and why."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import NotFoundError
from app.domain.paging import Page, Position, page_of
from app.ports.executions import (
    ExecutionDetail,
    ExecutionFilter,
    ExecutionStore,
    ExecutionSummary,
    WaitingExecution,
    WaitingStore,
)
from app.services.operations.explanations import MAX_NAMED, explain
from app.services.operations.observations import AS_JSON, Vocabulary

_LED_TO: Final = 20


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
            NotFoundError: The caller may see no such execution.
        """
        found = await self._store.get(caller, execution_id)
        if found is None:
            raise NotFoundError("There is no such execution")
        return found.model_copy(update={"explanation": explained(found)})

    async def led_to(self, caller: Caller, cause: ExecutionSummary) -> Sequence[ExecutionSummary]:
        """Return the executions whose events steps of this one made, as far as they are about the same entity."""
        return await self._store.led_to(caller, cause, _LED_TO)


def explained(found: ExecutionDetail, said: Vocabulary = AS_JSON) -> str:
    """Return why an execution ran or did not; ``said``: how fields and values are said."""
    if found.unreadable:
        # What is left would perhaps tell something else.
        named = "; ".join(f"{one.path} {one.message}" for one in found.unreadable[:MAX_NAMED])
        return f"What became of it cannot be told, because its row in the log cannot be read in full: {named}."
    return explain(
        found.status,
        conditions_met=found.conditions_met,
        verdicts=found.verdicts,
        results=found.results,
        error=found.error,
        said=said,
    )


class WaitingService:
    """The use case.

    Args:
        store: Where waiting executions are kept.
    """

    def __init__(self, store: WaitingStore) -> None:
        self._store = store

    async def find(
        self, caller: Caller, workflow_id: UUID | None, entity: str | None, after: Position | None, limit: int
    ) -> Page[WaitingExecution]:
        """List executions that wait, those due first first."""
        rows = await self._store.find(caller, workflow_id, entity, after, limit + 1)
        return page_of(rows, limit, lambda row: Position(row.due, row.command_id))
