"""Writing a workflow's next version: what every write asks first, inside the transaction that stores it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import ConflictError, FieldError, InvalidError
from app.domain.grants import Use
from app.domain.quotas import NO_QUOTAS, WorkflowQuotas
from app.ports.workflows import Transaction
from app.services.workflows.editing import next_version
from app.services.workflows.permits import refuse_unpermitted
from app.services.workflows.references import references
from schemas.base import stored_size
from schemas.workflow import MAX_REVISION_BYTES, Revision, Workflow


class WorkflowWriter:
    """Writes, and refuses what may not be written.

    Args:
        now: The clock, in UTC.
        quotas: How many workflows a user may have; administrators are not asked.
    """

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, quotas: WorkflowQuotas = NO_QUOTAS
    ) -> None:
        self.now = now
        self._quotas = quotas

    async def write(
        self,
        transaction: Transaction,
        caller: Caller,
        current: Workflow,
        changes: dict[str, Any],
        *,
        deleted: bool = False,
    ) -> Workflow:
        """Store the next version of a workflow that is locked.

        Raises:
            InvalidError: It is too large, or names what is not there.
            NotPermittedError: It names customers or inboxes that the caller may not reach.
            ConflictError: It is active, and its owner has as many of its trigger type as a user may.
        """
        changed = next_version(current, changes, self.now())
        if "actions" in changes:
            await self.check(transaction, caller, changed)
        else:
            refuse_large(changed)
            if changed.active:
                await refuse_missing(transaction, changed)
        if changed.active and (not current.active or changed.trigger.type != current.trigger.type):
            await self.room(transaction, caller, changed.created_by, changed.trigger.type)
        return await transaction.update(changed, deleted=deleted)

    async def check(self, transaction: Transaction, caller: Caller, workflow: Workflow) -> None:
        """Refuse what may not be stored, whoever is asked to publish it; errors as in ``write``."""
        refuse_unpermitted(caller, workflow.created_by, workflow.trigger, workflow.actions)
        await refuse_missing(transaction, workflow)
        refuse_large(workflow)

    async def room(
        self, transaction: Transaction, caller: Caller, owner: UUID, trigger_type: str | None = None
    ) -> None:
        """Refuse one more workflow, or one more active one of a trigger type, over an owner's quota.

        Raises:
            ConflictError: There are as many as a user may have.
        """
        most = self._quotas.workflows if trigger_type is None else self._quotas.active
        if not most or caller.role == "admin":
            return
        there = await transaction.owned(owner, trigger_type)
        if there >= most:
            what = "workflows" if trigger_type is None else f"active workflows with the trigger {trigger_type}"
            how = "delete" if trigger_type is None else "deactivate"
            raise ConflictError(f"There are {there} {what} of this user, and {most} are allowed; {how} one first")


async def refuse_missing(transaction: Transaction, workflow: Workflow) -> None:
    """Refuse actions that name what is not there, or not for the workflow; of an active one secrets too must be there.

    Raises:
        InvalidError: Each such field is in it.
    """
    named = references(workflow.actions)
    use = Use(workflow.created_by, workflow.id)
    missing = await transaction.missing(use, named, live=workflow.active) if named else ()
    if missing:
        raise InvalidError([one.missing for one in missing])


def refuse_large(workflow: Workflow) -> None:
    """Bound the revision that is made of a workflow, as it is encoded for the matchers and in every command.

    Raises:
        InvalidError: It is too large.
    """
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
