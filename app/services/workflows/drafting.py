"""Changing workflows that may be running: what is live goes on until its draft is published.

A change of an inactive workflow takes effect at once. One of an active workflow makes its draft, unless the caller has
it published in the same step. Editors save as they go: such a draft is kept as it was written, right or not, with what
is wrong of it; what is to become of a workflow through ``replace`` and ``patch`` is checked first, as ever.
"""

from typing import Any, Final
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import ConflictError, FieldError, InvalidError, NotPermittedError, UnfitError
from app.domain.structural_diff import same
from app.domain.versions import Expected
from app.domain.written_workflow import written_of
from app.ports.workflows import StoredDraft, Transaction, WorkflowStore
from app.services.workflows.draft_rows import at_number, keep, of_workflow
from app.services.workflows.drafts import DraftReader, merge_patch
from app.services.workflows.editing import (
    MISSING,
    at_version,
    fields,
    found,
    in_full,
    refuse_no_object,
    refuse_unreadable,
    written,
)
from app.services.workflows.permits import refuse_unpermitted
from app.services.workflows.writer import WorkflowWriter, refuse_large, refuse_missing
from schemas.draft import Draft
from schemas.problem import ProblemError
from schemas.workflow import Workflow, WorkflowDraft

NO_DRAFT: Final = 'The workflow has no draft; save one with If-Match: "0"'
_MOVED: Final = (
    "Version {live} has been published since this draft was begun from version {base}, and publishing it would undo"
    " that. Look at what differs (GET …/diff?from={base}&to={live}), and publish with ?overwrite=true to do so"
)


class DraftService:
    """The use cases.

    Args:
        store: Where workflows and their drafts are kept.
        reader: Reads what users write.
        writer: Writes what is published.
    """

    def __init__(self, store: WorkflowStore, reader: DraftReader, writer: WorkflowWriter) -> None:
        self._store = store
        self._reader = reader
        self._writer = writer

    async def get(self, caller: Caller, workflow_id: UUID) -> Draft:
        """Return a workflow's draft, with what keeps it from being published.

        Raises:
            NotFoundError: There is no such workflow, or it has no draft.
        """
        current = found(await self._store.get(caller, workflow_id), MISSING)
        stored = found_draft(await self._store.draft(caller, workflow_id))
        async with self._store.transaction(caller) as transaction:
            return await self._shown(transaction, caller, current, stored)

    async def save(self, caller: Caller, workflow_id: UUID, number: Expected, raw: Any) -> Draft:
        """Keep a draft as it was written, over the one before.

        Args:
            caller: On whose behalf.
            workflow_id: Which workflow's.
            number: That of the draft that the caller has read; 0: that there is none; None: any.
            raw: What was written.

        Raises:
            InvalidError: It is no object, or too large.
            NotFoundError: There is no such workflow.
            StaleVersionError: It has another draft by now.
        """
        refuse_no_object(raw, "a draft")
        return await self._keep(caller, workflow_id, number, raw, merge=False)

    async def patch(self, caller: Caller, workflow_id: UUID, number: Expected, patch: Any) -> Draft:
        """Apply a JSON merge patch to the draft, or to what is live where there is none; errors as in ``save``."""
        refuse_no_object(patch, "a merge patch")
        return await self._keep(caller, workflow_id, number, patch, merge=True)

    async def discard(self, caller: Caller, workflow_id: UUID, number: Expected) -> None:
        """Let the draft go.

        Raises:
            NotFoundError: There is no such workflow, or it has no draft.
            StaleVersionError: It has another draft by now.
        """
        async with self._store.transaction(caller) as transaction:
            found(await transaction.get(workflow_id), MISSING)
            at_number(found_draft(await transaction.draft(workflow_id)), number)
            await transaction.discard_draft(workflow_id)

    async def revert(self, caller: Caller, workflow_id: UUID, version: int, number: Expected) -> Draft:
        """Make a draft of an earlier revision; errors as in ``save``.

        Raises:
            NotFoundError: There is no such workflow, or it had no such version.
            ConflictError: That version cannot be read in full.
        """
        async with self._store.transaction(caller) as transaction:
            current = found(await transaction.get(workflow_id), MISSING)
            revision = found(await transaction.revision(workflow_id, version), "There is no such version")
            refuse_unreadable(revision.get("unreadable", ()))
            body = written_of(revision)
            before = at_number(await transaction.draft(workflow_id), number)
            stored = await keep(transaction, current, body, before, current.version)
            return await self._shown(transaction, caller, current, stored)

    async def publish(self, caller: Caller, workflow_id: UUID, number: Expected, *, overwrite: bool) -> Workflow:
        """Make the draft what is live, with its revision and its record for the matchers.

        Args:
            caller: On whose behalf.
            workflow_id: Which workflow's.
            number: That of the draft that the caller has read; None for any.
            overwrite: Also where the live version has changed since the draft was begun.

        Raises:
            NotFoundError: There is no such workflow.
            ConflictError: It has no draft, or what is live has changed since it was begun; or, of an active one, its
                owner has as many of its trigger type as a user may.
            StaleVersionError: It has another draft by now.
            UnfitError: Something is wrong with the draft; every wrong field is in it.
            NotPermittedError: It names customers or inboxes that the caller may not reach.
        """
        found(await self._store.get(caller, workflow_id), MISSING)
        read = at_number(await self._store.draft(caller, workflow_id), number)
        if read is None:
            raise ConflictError(NO_DRAFT)
        try:
            draft = await self._reader.read(read.body)
            async with self._store.transaction(caller) as transaction:
                current = found(await transaction.get(workflow_id), MISSING)
                at_number(await transaction.draft(workflow_id), read.version)
                if not overwrite:
                    await _refuse_moved(transaction, current, read)
                await transaction.discard_draft(workflow_id)
                return await self._writer.write(transaction, caller, current, fields(draft))
        except InvalidError as error:
            raise UnfitError("The draft cannot be published", error.errors) from None

    async def replace(
        self, caller: Caller, workflow_id: UUID, version: Expected, raw: Any, *, publish: bool
    ) -> Workflow:
        """Replace everything a user writes; of an active workflow this makes its draft, unless it is to be published.

        Args:
            caller: On whose behalf.
            workflow_id: Which workflow.
            version: The version of the workflow that the caller has read; None for any.
            raw: What is to become of it.
            publish: Of an active one too: at once, past its draft, which stays.

        Raises:
            InvalidError: Something is wrong with it.
            NotPermittedError: It names customers or inboxes that the caller may not reach.
            NotFoundError: There is no such workflow.
            StaleVersionError: It has another version by now.
            ConflictError: It is active, and its owner has as many of its new trigger type as a user may.
        """
        draft = await self._reader.read(raw)
        async with self._store.transaction(caller) as transaction:
            current = at_version(found(await transaction.get(workflow_id), MISSING), version, "workflow")
            return await self._change(transaction, caller, current, draft, publish=publish, rebased=True)

    async def change(
        self, caller: Caller, workflow_id: UUID, version: Expected, patch: Any, *, publish: bool
    ) -> Workflow:
        """Apply a JSON merge patch; arguments and errors as in ``replace``.

        Of an active workflow it is applied to the draft there is, so that one patch after the other adds up; where it
        is to be published, to what is live.
        """
        refuse_no_object(patch, "a merge patch")
        async with self._store.transaction(caller) as transaction:
            current = at_version(found(await transaction.get(workflow_id), MISSING), version, "workflow")
            before = await transaction.draft(workflow_id) if current.active and not publish else None
            base = written(in_full(current), WorkflowDraft) if before is None else before.body
            draft = await self._reader.read(merge_patch(base, patch, WorkflowDraft))
            return await self._change(transaction, caller, current, draft, publish=publish, rebased=before is None)

    async def _change(
        self,
        transaction: Transaction,
        caller: Caller,
        current: Workflow,
        draft: WorkflowDraft,
        *,
        publish: bool,
        rebased: bool,
    ) -> Workflow:
        if publish or not current.active:
            return await self._writer.write(transaction, caller, current, fields(draft))
        await self._writer.check(transaction, caller, current.model_copy(update=fields(draft)))
        before = await transaction.draft(current.id)
        based_on = current.version if rebased or before is None else before.based_on
        await keep(transaction, current, draft.model_dump(mode="json"), before, based_on)
        return found(await transaction.get(current.id), MISSING)

    async def _keep(self, caller: Caller, workflow_id: UUID, number: Expected, raw: Any, *, merge: bool) -> Draft:
        async with self._store.transaction(caller) as transaction:
            current = found(await transaction.get(workflow_id), MISSING)
            before = at_number(await transaction.draft(workflow_id), number)
            body = raw
            if merge:
                body = merge_patch(
                    written(in_full(current), WorkflowDraft) if before is None else before.body, raw, WorkflowDraft
                )
            based_on = current.version if before is None else before.based_on
            stored = await keep(transaction, current, body, before, based_on)
            return await self._shown(transaction, caller, current, stored)

    async def _shown(self, transaction: Transaction, caller: Caller, current: Workflow, stored: StoredDraft) -> Draft:
        problems = await self.problems(transaction, caller, current, stored.body)
        return Draft(
            workflow_id=current.id,
            workflow=stored.body,
            version=stored.version,
            saved_at=stored.saved_at,
            saved_by=stored.saved_by,
            based_on=stored.based_on,
            changes=stored.changes,
            problems=[ProblemError(path=one.path, message=one.message) for one in problems],
        )

    async def problems(
        self, transaction: Transaction, caller: Caller, current: Workflow, body: dict[str, Any]
    ) -> list[FieldError]:
        """Return what keeps a draft from being published."""
        try:
            draft = await self._reader.read(body)
        except InvalidError as error:
            return error.errors
        meant, problems = current.model_copy(update=fields(draft)), []
        try:
            refuse_unpermitted(caller, meant.created_by, meant.trigger, meant.actions)
        except NotPermittedError as error:
            problems += error.errors
        try:
            refuse_large(meant)
            await refuse_missing(transaction, meant)
        except InvalidError as error:
            problems += error.errors
        return problems


def found_draft(draft: StoredDraft | None) -> StoredDraft:
    """Return what is there.

    Raises:
        NotFoundError: There is no draft.
    """
    return found(draft, NO_DRAFT)


async def _refuse_moved(transaction: Transaction, current: Workflow, draft: StoredDraft) -> None:
    """Refuse to publish over what has been published meanwhile; having been switched on or off is no change of it."""
    if draft.based_on == current.version:
        return
    base = await transaction.revision(current.id, draft.based_on)
    if base is None or not same(written_of(base), of_workflow(current)):
        raise ConflictError(_MOVED.format(live=current.version, base=draft.based_on))
