"""Workflows: create, change, switch on and off, delete. Each write is one transaction of row, revision and outbox."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from app.domain.callers import Caller
from app.domain.errors import ConflictError, FieldError, InvalidError, NotFoundError
from app.domain.grants import Use
from app.domain.paging import Page, Position
from app.domain.quotas import NO_QUOTAS, WorkflowQuotas
from app.ports.workflows import Transaction, WorkflowFilter, WorkflowStore
from app.services.workflows.drafts import DraftReader, merge_patch
from app.services.workflows.editing import (
    at_version,
    fields,
    found,
    newest_first,
    next_version,
    refuse_no_object,
    written,
)
from app.services.workflows.permits import refuse_unpermitted
from app.services.workflows.references import references
from schemas.base import stored_size
from schemas.workflow import MAX_REVISION_BYTES, Action, Revision, Workflow, WorkflowDraft

_MISSING: Final = "There is no such workflow"


class WorkflowService:
    """The use cases.

    Args:
        store: Where workflows are kept.
        drafts: Reads what users write.
        now: The clock, in UTC.
        quotas: How many workflows a user may have; administrators are not asked.
    """

    def __init__(
        self,
        store: WorkflowStore,
        drafts: DraftReader,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        quotas: WorkflowQuotas = NO_QUOTAS,
    ) -> None:
        self._store = store
        self._drafts = drafts
        self._now = now
        self._quotas = quotas

    async def create(self, caller: Caller, raw: Any, *, template_id: UUID | None = None) -> Workflow:
        """Store a new workflow, inactive, the caller's own; ``template_id`` says which template it is made of.

        Raises:
            InvalidError: The draft is wrong.
            NotPermittedError: It names customers or inboxes that the caller may not reach.
            ConflictError: The caller has as many workflows as a user may.
        """
        draft = await self._drafts.read(raw)
        refuse_unpermitted(caller, caller.user_id, draft.trigger, draft.actions)
        now = self._now()
        workflow = Workflow(
            id=uuid4(),
            active=False,
            version=1,
            created_by=caller.user_id,
            created_at=now,
            updated_at=now,
            **fields(draft),
        )
        _refuse_large(workflow)
        async with self._store.transaction(caller) as transaction:
            await _refuse_missing(transaction, Use(workflow.created_by, workflow.id), workflow.actions)
            await self._room(transaction, caller, workflow.created_by)
            stored = await transaction.insert(workflow)
            if template_id is not None:
                await transaction.count_use(template_id)
        return stored

    async def read(self, raw: Any) -> WorkflowDraft:
        """Check a draft without storing it.

        Raises:
            InvalidError: It is wrong.
        """
        return await self._drafts.read(raw)

    async def get(self, caller: Caller, workflow_id: UUID) -> Workflow:
        """Return one.

        Raises:
            NotFoundError: The caller may see no such workflow.
        """
        return found(await self._store.get(caller, workflow_id), _MISSING)

    async def find(self, caller: Caller, wanted: WorkflowFilter, after: Position | None, limit: int) -> Page[Workflow]:
        """List workflows, newest first."""
        rows = await self._store.find(caller, wanted, after, limit + 1)
        return newest_first(rows, limit)

    async def replace(self, caller: Caller, workflow_id: UUID, version: int | None, raw: Any) -> Workflow:
        """Replace everything a user writes; whether it is active stays.

        Args:
            caller: On whose behalf.
            workflow_id: Which workflow.
            version: The version the caller has read; None for any.
            raw: The new draft.

        Raises:
            InvalidError: The draft is wrong.
            NotPermittedError: It names customers or inboxes that the caller may not reach.
            NotFoundError: There is no such workflow.
            StaleVersionError: It has another version by now.
            ConflictError: It is active, and its owner has as many of its new trigger type as a user may.
        """
        draft = await self._drafts.read(raw)
        return await self._write(caller, workflow_id, version, lambda _: _given(fields(draft)))

    async def patch(self, caller: Caller, workflow_id: UUID, version: int | None, patch: Any) -> Workflow:
        """Apply a JSON merge patch; arguments and errors as in ``replace``."""
        refuse_no_object(patch, "a merge patch")

        async def patched(current: Workflow) -> dict[str, Any]:
            return fields(await self._drafts.read(merge_patch(written(current, WorkflowDraft), patch)))

        return await self._write(caller, workflow_id, version, patched)

    async def set_active(self, caller: Caller, workflow_id: UUID, version: int | None, *, active: bool) -> Workflow:
        """Switch a workflow on or off; one that is so already stays as it is. Errors as in ``replace``."""
        return await self._write(
            caller, workflow_id, version, lambda current: _given({} if current.active == active else {"active": active})
        )

    async def delete(self, caller: Caller, workflow_id: UUID, version: int | None) -> None:
        """Delete a workflow softly: it never runs again, its log stays. Errors as in ``replace``."""
        await self._write(caller, workflow_id, version, lambda _: _given({"active": False}), deleted=True)

    async def revisions(
        self, caller: Caller, workflow_id: UUID, before: int | None, limit: int
    ) -> Sequence[dict[str, Any]]:
        """Return at most ``limit`` revisions, newest first.

        Raises:
            NotFoundError: There is and was no such workflow.
        """
        rows = await self._store.revisions(caller, workflow_id, before, limit)
        if not rows and before is None:
            raise NotFoundError(_MISSING)
        return rows

    async def _write(
        self,
        caller: Caller,
        workflow_id: UUID,
        version: int | None,
        change: Callable[[Workflow], Awaitable[dict[str, Any]]],
        *,
        deleted: bool = False,
    ) -> Workflow:
        async with self._store.transaction(caller) as transaction:
            current = at_version(found(await transaction.get(workflow_id), _MISSING), version, "workflow")
            changes = await change(current)
            if not changes:
                return current
            if "actions" in changes:
                refuse_unpermitted(caller, current.created_by, changes["trigger"], changes["actions"])
                await _refuse_missing(transaction, Use(current.created_by, workflow_id), changes["actions"])
            changed = next_version(current, changes, self._now())
            _refuse_large(changed)
            if changed.active and (not current.active or changed.trigger.type != current.trigger.type):
                await self._room(transaction, caller, changed.created_by, changed.trigger.type)
            return await transaction.update(changed, deleted=deleted)

    async def _room(
        self, transaction: Transaction, caller: Caller, owner: UUID, trigger_type: str | None = None
    ) -> None:
        """Refuse one more workflow, or one more active one of a trigger type, over an owner's quota."""
        most = self._quotas.workflows if trigger_type is None else self._quotas.active
        if not most or caller.role == "admin":
            return
        there = await transaction.owned(owner, trigger_type)
        if there >= most:
            what = "workflows" if trigger_type is None else f"active workflows with the trigger {trigger_type}"
            how = "delete" if trigger_type is None else "deactivate"
            raise ConflictError(f"There are {there} {what} of this user, and {most} are allowed; {how} one first")


async def _given(changes: dict[str, Any]) -> dict[str, Any]:
    return changes


async def _refuse_missing(transaction: Transaction, use: Use, actions: Sequence[Action]) -> None:
    named = references(actions)
    missing = await transaction.missing(use, named) if named else ()
    if missing:
        raise InvalidError([one.missing for one in missing])


def _refuse_large(workflow: Workflow) -> None:
    """Bound the revision that is made of a workflow, as it is encoded for the matchers and in every command."""
    revision = Revision(
        id=workflow.id,
        version=workflow.version,
        name=workflow.name,
        active=workflow.active,
        priority=workflow.priority,
        reentry=workflow.reentry,
        trigger=workflow.trigger,
        conditions=workflow.conditions,
        actions=workflow.actions,
        owner=workflow.created_by,
        updated_at=workflow.updated_at,
    )
    size = stored_size(revision.encode())
    if size > MAX_REVISION_BYTES:
        raise InvalidError([FieldError("", f"the workflow has {size} bytes; at most {MAX_REVISION_BYTES} are allowed")])
