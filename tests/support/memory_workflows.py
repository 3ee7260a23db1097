"""Workflows in memory, held to the same contract tests as those in Postgres."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.domain.callers import Caller
from app.domain.grants import Use
from app.domain.paging import NamePosition, Position
from app.ports.workflows import NEVER, Reference, StoredDraft, WorkflowFilter
from schemas.draft import DraftNote
from schemas.workflow import Workflow


@dataclass
class _Kept:
    """What is stored, as a whole, so that a transaction that fails can take it back."""

    workflows: dict[UUID, Workflow] = field(default_factory=dict)
    revisions: dict[UUID, list[dict[str, Any]]] = field(default_factory=dict)
    drafts: dict[UUID, StoredDraft] = field(default_factory=dict)
    numbers: dict[UUID, int] = field(default_factory=dict)


class MemoryWorkflows:
    """Implements ``app.ports.workflows.WorkflowStore``.

    Attributes:
        absent: Names of what is not there.
    """

    def __init__(self) -> None:
        self._kept = _Kept()
        self.absent: set[str] = set()

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator["MemoryTransaction"]:
        """Take back what was written in a block that raises."""
        before = deepcopy(self._kept)
        try:
            yield MemoryTransaction(self, caller)
        except BaseException:
            self._kept = before
            raise

    async def get(self, caller: Caller, workflow_id: UUID) -> Workflow | None:
        """Return a workflow that is there and the caller's to see."""
        return self.seen(caller, workflow_id, deleted=False)

    async def find(
        self, caller: Caller, wanted: WorkflowFilter, after: Position | NamePosition | None, limit: int
    ) -> Sequence[Workflow]:
        """Return a page, in the order that is wanted."""
        seen = (self.seen(caller, key, deleted=wanted.deleted) for key in self._kept.workflows)
        there = [one for one in seen if one is not None and _fits(one, wanted)]
        down = wanted.sort.startswith("-")
        ordered = sorted(there, key=lambda one: _key(one, wanted.sort), reverse=down)
        if after is not None:
            place = (after.name.lower() if isinstance(after, NamePosition) else after.at, after.id)
            ordered = [
                one for one in ordered if (_key(one, wanted.sort) < place) is down and _key(one, wanted.sort) != place
            ]
        return ordered[:limit]

    async def revisions(
        self, caller: Caller, workflow_id: UUID, before: int | None, limit: int
    ) -> Sequence[dict[str, Any]]:
        """Return revisions, newest first."""
        if not self._may(caller, workflow_id):
            return []
        found = reversed(self._kept.revisions[workflow_id])
        return [one for one in found if before is None or one["version"] < before][:limit]

    async def revision(self, caller: Caller, workflow_id: UUID, version: int) -> dict[str, Any] | None:
        """Return one revision."""
        rows = await self.revisions(caller, workflow_id, version + 1, 1)
        return next((row for row in rows if row["version"] == version), None)

    async def draft(self, caller: Caller, workflow_id: UUID) -> StoredDraft | None:
        """Return a draft that is there and the caller's to see."""
        there = self.seen(caller, workflow_id, deleted=False)
        return None if there is None else deepcopy(self._kept.drafts.get(workflow_id))

    def seen(self, caller: Caller, workflow_id: UUID, *, deleted: bool) -> Workflow | None:
        """Return a workflow as the caller sees it, with the note of its draft."""
        workflow = self._kept.workflows.get(workflow_id)
        if workflow is None or not self._may(caller, workflow_id) or (workflow.deleted_at is not None) is not deleted:
            return None
        draft = self._kept.drafts.get(workflow_id)
        return workflow.model_copy(update={"draft": None if draft is None else _note(draft)})

    def put(self, caller: Caller, workflow: Workflow) -> Workflow:
        """Store a workflow with its revision."""
        stored = workflow.model_copy(update={"updated_at": datetime.now(UTC), "draft": None}, deep=True)
        self._kept.workflows[stored.id] = stored
        body = stored.model_dump(mode="json", exclude={"created_by", "created_at", "draft", "last_run_at"})
        told = {**body, "deleted": stored.deleted_at is not None, "owner": str(stored.created_by)}
        self._kept.revisions.setdefault(stored.id, []).append({**told, "written_by": caller.user_id})
        seen = self.seen(caller, stored.id, deleted=stored.deleted_at is not None)
        assert seen is not None
        return seen

    def keep(self, workflow_id: UUID, draft: StoredDraft | None) -> StoredDraft | None:
        """Store a draft, or none, under the next number."""
        number = self._kept.numbers[workflow_id] = self._kept.numbers.get(workflow_id, 0) + 1
        self._kept.drafts.pop(workflow_id, None)
        if draft is not None:
            self._kept.drafts[workflow_id] = replace(draft, body=deepcopy(draft.body), version=number)
        return deepcopy(self._kept.drafts.get(workflow_id))

    def owned(self, owner: UUID, trigger_type: str | None) -> int:
        """Count an owner's workflows, or the active ones of a trigger type."""
        there = [one for one in self._kept.workflows.values() if one.created_by == owner and one.deleted_at is None]
        return sum(trigger_type is None or (one.active and one.trigger.type == trigger_type) for one in there)

    def _may(self, caller: Caller, workflow_id: UUID) -> bool:
        workflow = self._kept.workflows.get(workflow_id)
        return workflow is not None and (caller.role == "admin" or workflow.created_by == caller.user_id)


class MemoryTransaction:
    """Implements ``app.ports.workflows.Transaction``."""

    def __init__(self, store: MemoryWorkflows, caller: Caller) -> None:
        self._store = store
        self._caller = caller

    async def get(self, workflow_id: UUID, *, deleted: bool = False) -> Workflow | None:
        """Return a workflow."""
        return self._store.seen(self._caller, workflow_id, deleted=deleted)

    async def insert(self, workflow: Workflow) -> Workflow:
        """Store a new workflow."""
        return self._store.put(self._caller, workflow)

    async def update(self, workflow: Workflow, *, deleted: bool) -> Workflow:
        """Store a workflow's new version."""
        gone = datetime.now(UTC) if deleted else None
        return self._store.put(self._caller, workflow.model_copy(update={"deleted_at": gone}))

    async def restore(self, workflow_id: UUID) -> Workflow:
        """Bring a deleted workflow back."""
        gone = self._store.seen(self._caller, workflow_id, deleted=True)
        assert gone is not None
        back = {"deleted_at": None, "active": False, "version": gone.version + 1}
        return self._store.put(self._caller, gone.model_copy(update=back))

    async def revision(self, workflow_id: UUID, version: int) -> dict[str, Any] | None:
        """Return one revision."""
        return await self._store.revision(self._caller, workflow_id, version)

    async def draft(self, workflow_id: UUID) -> StoredDraft | None:
        """Return a workflow's draft."""
        return await self._store.draft(self._caller, workflow_id)

    async def save_draft(self, workflow_id: UUID, body: dict[str, Any], based_on: int, changes: int) -> StoredDraft:
        """Store a workflow's draft."""
        draft = StoredDraft(body, based_on, changes, 0, self._caller.user_id, datetime.now(UTC))
        stored = self._store.keep(workflow_id, draft)
        assert stored is not None
        return stored

    async def discard_draft(self, workflow_id: UUID) -> None:
        """Let a workflow's draft go."""
        self._store.keep(workflow_id, None)

    async def missing(self, use: Use, named: Sequence[Reference], *, live: bool) -> Sequence[Reference]:
        """Return those of the named things that are not there."""
        absent = [one for one in named if one.name in self._store.absent]
        return [replace(one, absent=one.kind == "secret") for one in absent if live or one.kind != "secret"]

    async def owned(self, owner: UUID, trigger_type: str | None) -> int:
        """Count an owner's workflows, or the active ones of a trigger type."""
        return self._store.owned(owner, trigger_type)

    async def count_use(self, template_id: UUID) -> None:
        """Take note of nothing: there are no templates here."""


def _note(draft: StoredDraft) -> DraftNote:
    return DraftNote(
        version=draft.version,
        saved_at=draft.saved_at,
        saved_by=draft.saved_by,
        based_on=draft.based_on,
        changes=draft.changes,
    )


def _key(workflow: Workflow, sort: str) -> tuple[Any, UUID]:
    name = sort.removeprefix("-")
    value = workflow.name.lower() if name == "name" else getattr(workflow, name) or NEVER
    return value, workflow.id


def _fits(workflow: Workflow, wanted: WorkflowFilter) -> bool:
    words = f"{workflow.name}\n{workflow.description}".lower()
    return (
        wanted.active in (None, workflow.active)
        and wanted.trigger_type in (None, workflow.trigger.type)
        and wanted.owner in (None, workflow.created_by)
        and wanted.draft in (None, workflow.draft is not None)
        and (wanted.search is None or wanted.search.lower() in words)
    )
