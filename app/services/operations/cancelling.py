"""Cancelling executions that wait: they end as stopped, and the steps that remain are skipped.

A scheduler may be about to send the same execution on. The row of ``timers`` decides: deleting it wins. And where
a scheduler was killed between sending and deleting, the receipt of the copy decides: a copy that has begun cannot be
cancelled any more, and one that is cancelled cannot begin.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import ConflictError, NotFoundError, StaleVersionError
from app.domain.versions import Expected, is_expected
from app.ports import Record
from app.ports.audit import Noted
from app.ports.cancelling import Cancelled, CancellingStore, CancellingTransaction
from app.services.workflows.lifecycle import WorkflowService
from schemas.workflow import Workflow

BATCH: Final = 200
Waiting = Literal["finish", "cancel"]


Cancel = Callable[[Record, str], Cancelled]


class Cancelling:
    """The use cases.

    Args:
        store: Where what waits is kept.
        workflows: The workflows that may be deleted or switched off.
        cancel: Makes the end of an execution from its next record and a reason.
    """

    def __init__(self, store: CancellingStore, workflows: WorkflowService, cancel: Cancel) -> None:
        self._store = store
        self._workflows = workflows
        self._cancel = cancel

    async def one(self, caller: Caller, execution_id: UUID) -> int:
        """End one execution that waits.

        Raises:
            NotFoundError: None that waits has this id.
            ConflictError: It has gone on meanwhile.
        """
        async with self._store.transaction(caller) as transaction:
            ids = await transaction.find(execution_id, None, BATCH)
            if not ids:
                raise NotFoundError("No such execution waits")
            cancelled = await self._take(transaction, ids, f"cancelled by {caller.user_id}")
            if cancelled:
                await transaction.note(Noted("cancelled", "execution", str(execution_id)))
        if not cancelled:
            raise ConflictError("The execution waits no more: it has just gone on")
        return cancelled

    async def all_of(self, caller: Caller, workflow_id: UUID, reason: str | None = None) -> int:
        """End all executions of a workflow that wait, in batches; those that go on meanwhile are left alone.

        The workflow may have been deleted: what was queued then may have begun to wait since.

        Raises:
            NotFoundError: There is and was no such workflow.
        """
        await self._workflows.revisions(caller, workflow_id, None, 1)
        return await self._sweep(caller, workflow_id, reason or f"cancelled by {caller.user_id}")

    async def delete(self, caller: Caller, workflow_id: UUID, version: Expected) -> None:
        """Delete a workflow, and end its executions that wait.

        Raises:
            NotFoundError: There is no such workflow.
            StaleVersionError: It has another version by now; nothing is cancelled.
        """
        await self._check(caller, workflow_id, version)
        reason = "cancelled: the workflow was deleted"
        await self._sweep(caller, workflow_id, reason)
        await self._workflows.delete(caller, workflow_id, version)
        await self._sweep(caller, workflow_id, reason)  # those that began to wait meanwhile

    async def deactivate(
        self, caller: Caller, workflow_id: UUID, version: Expected, waiting: Waiting | None
    ) -> Workflow:
        """Switch a workflow off.

        Args:
            caller: On whose behalf.
            workflow_id: Which workflow.
            version: The version the caller has read; None for any.
            waiting: What becomes of executions that wait; None where the caller has not said.

        Raises:
            NotFoundError: There is no such workflow.
            StaleVersionError: It has another version by now; nothing is cancelled.
            ConflictError: Executions wait, and the caller has not said what becomes of them.
        """
        await self._check(caller, workflow_id, version)
        if waiting is None:
            async with self._store.transaction(caller) as transaction:
                found = len(await transaction.find(None, workflow_id, BATCH + 1))
            if found:
                many = str(found) if found <= BATCH else f"more than {BATCH}"
                raise ConflictError(
                    f"Executions of the workflow that wait: {many}. Say ?waiting=finish to let them finish, or"
                    " ?waiting=cancel to end them"
                )
        workflow = await self._workflows.set_active(caller, workflow_id, version, active=False)
        if waiting == "cancel":
            await self._sweep(caller, workflow_id, "cancelled: the workflow was switched off")
        return workflow

    async def _check(self, caller: Caller, workflow_id: UUID, version: Expected) -> None:
        current = await self._workflows.get(caller, workflow_id)
        if not is_expected(current.version, version):
            raise StaleVersionError(f"The workflow is at version {current.version} by now; read it again")

    async def _sweep(self, caller: Caller, workflow_id: UUID, reason: str) -> int:
        cancelled = 0
        while True:
            async with self._store.transaction(caller) as transaction:
                ids = await transaction.find(None, workflow_id, BATCH)
                if not ids:
                    return cancelled
                # Each of them is gone after this, by us or by a scheduler: the next look finds others.
                batch = await self._take(transaction, ids, reason)
                if batch:
                    said = {"executions": batch, "reason": reason}
                    await transaction.note(Noted("cancelled", "waiting", str(workflow_id), said=said))
                cancelled += batch

    async def _take(self, transaction: CancellingTransaction, ids: Sequence[UUID], reason: str) -> int:
        taken = [self._cancel(record, reason) for record in await transaction.take(ids)]
        begun = set(await transaction.forbid([end.copy for end in taken if end.copy is not None]))
        ended = [end for end in taken if end.copy is None or end.copy.command_id not in begun]
        await transaction.send([end.record for end in ended])
        return len(ended)
