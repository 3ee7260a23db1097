"""The same done to many workflows: each in a transaction of its own, so that one that is refused keeps none back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import (
    ConflictError,
    HeadraceError,
    InvalidError,
    NotFoundError,
    NotPermittedError,
    StaleVersionError,
    UnfitError,
)
from app.services.access.cpu_budget import breathe
from app.services.operations.cancelling import Cancelling, Waiting
from app.services.workflows.lifecycle import WorkflowService
from schemas.workflow import Workflow

Doing = Literal["activate", "deactivate", "delete", "restore"]
# What says something of the one workflow; all else, as that Postgres does not answer, is of the whole request.
_REFUSALS: Final = (
    ConflictError,
    InvalidError,
    NotFoundError,
    NotPermittedError,
    StaleVersionError,
    UnfitError,
)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one: how it is now (None where it is deleted), or why it was refused."""

    id: UUID
    workflow: Workflow | None = None
    refused: HeadraceError | None = None


class BulkService:
    """The use case.

    Args:
        workflows: Switches on, and restores.
        cancelling: Switches off and deletes, and knows what waits.
    """

    def __init__(self, workflows: WorkflowService, cancelling: Cancelling) -> None:
        self._workflows = workflows
        self._cancelling = cancelling

    async def do(self, caller: Caller, ids: Sequence[UUID], doing: Doing, waiting: Waiting | None) -> list[Done]:
        """Do it to each, once, in the order of the ids; ``waiting`` is what becomes of executions that wait."""
        return [await self._one(caller, one, doing, waiting) for one in dict.fromkeys(ids)]

    async def _one(self, caller: Caller, workflow_id: UUID, doing: Doing, waiting: Waiting | None) -> Done:
        await breathe()
        try:
            return Done(workflow_id, await self._do(caller, workflow_id, doing, waiting))
        except _REFUSALS as error:
            return Done(workflow_id, refused=error)

    async def _do(self, caller: Caller, workflow_id: UUID, doing: Doing, waiting: Waiting | None) -> Workflow | None:
        match doing:
            case "activate":
                return await self._workflows.set_active(caller, workflow_id, None, active=True)
            case "deactivate":
                return await self._cancelling.deactivate(caller, workflow_id, None, waiting)
            case "restore":
                return await self._workflows.restore(caller, workflow_id)
            case "delete":
                await self._cancelling.delete(caller, workflow_id, None)
                return None
