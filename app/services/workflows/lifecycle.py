"""Workflows: create, change, switch on and off, delete. Each write is one transaction of row, revision and outbox."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from app.domain.callers import Caller
from app.domain.errors import InvalidError, NotFoundError, UnfitError
from app.domain.paging import NamePosition, Page, Position, page_of, read_cursor, read_name_cursor
from app.domain.quotas import NO_QUOTAS, WorkflowQuotas
from app.domain.versions import Expected
from app.ports.workflows import NEVER, WorkflowFilter, WorkflowStore
from app.services.workflows.drafts import DraftReader
from app.services.workflows.editing import MISSING, at_version, copy_name, fields, found, in_full, written
from app.services.workflows.writer import WorkflowWriter
from schemas.workflow import Workflow, WorkflowDraft


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
        self._writer = WorkflowWriter(now, quotas=quotas)

    async def create(self, caller: Caller, raw: Any, *, template_id: UUID | None = None) -> Workflow:
        """Store a new workflow, inactive, the caller's own; ``template_id`` says which template it is made of.

        Raises:
            InvalidError: The draft is wrong.
            NotPermittedError: It names customers or inboxes that the caller may not reach.
            ConflictError: The caller has as many workflows as a user may.
        """
        draft = await self._drafts.read(raw)
        now = self._writer.now()
        workflow = Workflow(
            id=uuid4(),
            active=False,
            version=1,
            created_by=caller.user_id,
            created_at=now,
            updated_at=now,
            **fields(draft),
        )
        async with self._store.transaction(caller) as transaction:
            await self._writer.check(transaction, caller, workflow)
            await self._writer.room(transaction, caller, workflow.created_by)
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
        return found(await self._store.get(caller, workflow_id), MISSING)

    async def find(self, caller: Caller, wanted: WorkflowFilter, cursor: str | None, limit: int) -> Page[Workflow]:
        """List workflows, in the order that is wanted.

        Raises:
            InvalidError: The cursor is none of an earlier page in this order.
        """
        by_name = wanted.sort.removeprefix("-") == "name"
        after = read_name_cursor(cursor) if by_name else read_cursor(cursor)
        rows = await self._store.find(caller, wanted, after, limit + 1)
        return page_of(rows, limit, partial(_position, wanted.sort))

    async def set_active(self, caller: Caller, workflow_id: UUID, version: Expected, *, active: bool) -> Workflow:
        """Switch a workflow on or off; one that is so already stays as it is.

        Raises:
            NotFoundError: There is no such workflow.
            StaleVersionError: It has another version by now.
            ConflictError: It is to be active, and its owner has as many of its trigger type as a user may.
            UnfitError: It is to be active, and channels, secrets or message templates that it names are not there.
        """
        try:
            return await self._write(
                caller, workflow_id, version, lambda current: {} if current.active == active else {"active": active}
            )
        except InvalidError as error:
            raise UnfitError("The workflow cannot be switched on", error.errors) from None

    async def delete(self, caller: Caller, workflow_id: UUID, version: Expected) -> None:
        """Delete a workflow softly: it never runs again, its log stays; errors as in ``set_active``."""
        await self._write(caller, workflow_id, version, lambda _: {"active": False}, deleted=True)

    async def restore(self, caller: Caller, workflow_id: UUID) -> Workflow:
        """Bring a deleted workflow back as it was, switched off; one that is not deleted stays as it is.

        Raises:
            NotFoundError: There is and was no such workflow.
            ConflictError: Its owner has as many workflows as a user may.
        """
        async with self._store.transaction(caller) as transaction:
            gone = await transaction.get(workflow_id, deleted=True)
            if gone is None:
                return found(await transaction.get(workflow_id), MISSING)
            await self._writer.room(transaction, caller, in_full(gone).created_by)
            return await transaction.restore(workflow_id)

    async def duplicate(self, caller: Caller, workflow_id: UUID, name: str | None) -> Workflow:
        """Store a copy of what is live, inactive, the caller's own.

        Raises:
            NotFoundError: There is no such workflow.
            InvalidError: It would not be taken as a new one any more.
            NotPermittedError: It names customers or inboxes that the caller may not reach.
            ConflictError: The caller has as many workflows as a user may, or it cannot be read in full.
        """
        body = written(in_full(await self.get(caller, workflow_id)), WorkflowDraft)
        return await self.create(caller, {**body, "name": copy_name(body["name"]) if name is None else name})

    async def revisions(
        self, caller: Caller, workflow_id: UUID, before: int | None, limit: int
    ) -> Sequence[dict[str, Any]]:
        """Return at most ``limit`` revisions, newest first.

        Raises:
            NotFoundError: There is and was no such workflow.
        """
        rows = await self._store.revisions(caller, workflow_id, before, limit)
        if not rows and before is None:
            raise NotFoundError(MISSING)
        return rows

    async def revision(self, caller: Caller, workflow_id: UUID, version: int) -> dict[str, Any]:
        """Return one revision.

        Raises:
            NotFoundError: There is and was no such workflow, or no such version of it.
        """
        row = await self._store.revision(caller, workflow_id, version)
        return found(row, "There is no such version of the workflow")

    async def _write(
        self,
        caller: Caller,
        workflow_id: UUID,
        version: Expected,
        change: Callable[[Workflow], dict[str, Any]],
        *,
        deleted: bool = False,
    ) -> Workflow:
        async with self._store.transaction(caller) as transaction:
            current = at_version(found(await transaction.get(workflow_id), MISSING), version, "workflow")
            changes = change(current)
            if not changes:
                return current
            return await self._writer.write(transaction, caller, current, changes, deleted=deleted)


def _position(sort: str, workflow: Workflow) -> Position | NamePosition:
    """Return where a workflow stands in a list of this order."""
    match sort.removeprefix("-"):
        case "name":
            return NamePosition(workflow.name, workflow.id)
        case "updated_at":
            return Position(workflow.updated_at, workflow.id)
        case "last_run_at":
            return Position(workflow.last_run_at or NEVER, workflow.id)
        case _:
            return Position(workflow.created_at, workflow.id)
