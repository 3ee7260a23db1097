"""Comparing two states of a workflow: any of its versions, what is live, its draft."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.domain.callers import Caller
from app.domain.structural_diff import Change
from app.domain.wall import WallReachedError, walled
from app.domain.written_workflow import comparable, written_of
from app.ports.workflows import WorkflowStore
from app.services.workflows.change_words import in_words
from app.services.workflows.draft_rows import compared, of_workflow
from app.services.workflows.drafting import found_draft
from app.services.workflows.editing import MISSING, found, in_full, refuse_unreadable

LIVE: Final = "live"
DRAFT: Final = "draft"
_NO_VERSION: Final = "There is no such version of the workflow"
_MOST_VERSIONS: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Difference:
    """What makes one state of another: as data, in the order it is applied in, and in words."""

    changes: list[Change]
    words: list[str]


def told(before: dict[str, Any], after: dict[str, Any]) -> Difference:
    """Compare two states as they would be read back; what takes too long to put in words is said to be much."""
    changes = compared(before, after)
    try:
        words = walled(in_words, before, after)
    except WallReachedError:
        words = [f"{len(changes)} changes, too many to put in words"]
    return Difference(changes, words)


class ComparingService:
    """The use case.

    Args:
        store: Where workflows, their revisions and drafts are kept.
    """

    def __init__(self, store: WorkflowStore) -> None:
        self._store = store

    async def compare(self, caller: Caller, workflow_id: UUID, before: str, after: str) -> Difference:
        """Compare two states: a version's number, ``live`` or ``draft``.

        Raises:
            NotFoundError: There is no such workflow, no such version of it, or no draft.
            ConflictError: One cannot be read in full.
        """
        return told(await self.state(caller, workflow_id, before), await self.state(caller, workflow_id, after))

    async def state(self, caller: Caller, workflow_id: UUID, side: str) -> dict[str, Any]:
        """Return one state, as it would be read back; errors as in ``compare``."""
        if side == LIVE:
            return of_workflow(in_full(found(await self._store.get(caller, workflow_id), MISSING)))
        if side == DRAFT:
            found(await self._store.get(caller, workflow_id), MISSING)
            return comparable(found_draft(await self._store.draft(caller, workflow_id)).body)
        version = int(side)
        row = await self._store.revision(caller, workflow_id, version) if version <= _MOST_VERSIONS else None
        refuse_unreadable(found(row, _NO_VERSION).get("unreadable", ()))
        return written_of(found(row, _NO_VERSION))
