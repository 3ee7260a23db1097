"""Drafts as rows: what is compared of them, which number a caller must have read, and that saving is cheap."""

from typing import Any, Final

import orjson

from app.domain.errors import FieldError, InvalidError, StaleVersionError
from app.domain.structural_diff import Change, difference, same
from app.domain.versions import Expected, is_expected
from app.domain.wall import WallReachedError, walled
from app.domain.written_workflow import comparable, written_of
from app.ports.workflows import StoredDraft, Transaction
from app.services.workflows.editing import written
from schemas.base import stored_size
from schemas.workflow import MAX_REVISION_BYTES, Workflow, WorkflowDraft

NONE_READ: Final = 0


def of_workflow(workflow: Workflow) -> dict[str, Any]:
    """Return what of a workflow its user wrote, to be compared."""
    return comparable(written(workflow, WorkflowDraft))


def compared(before: Any, after: Any) -> list[Change]:
    """Return what differs; of what takes too long to compare, that all of it may."""
    try:
        return walled(difference, before, after)
    except WallReachedError:
        return [Change("changed", (), before, after)]


def at_number(draft: StoredDraft | None, number: Expected) -> StoredDraft | None:
    """Return the draft that a caller has read the number of; None is any, ``NONE_READ`` that there was none.

    Raises:
        StaleVersionError: It has another by now.
    """
    there = NONE_READ if draft is None else draft.version
    if not is_expected(there, number):
        now = f"There is a draft by now, number {there}" if draft else "There is no draft any more"
        raise StaleVersionError(f"{now}; read it again")
    return draft


async def keep(
    transaction: Transaction, current: Workflow, body: dict[str, Any], before: StoredDraft | None, based_on: int
) -> StoredDraft:
    """Save a draft; one that is as it was is not written again.

    Raises:
        InvalidError: It is too large.
    """
    size = stored_size(orjson.dumps(body))
    if size > MAX_REVISION_BYTES:
        raise InvalidError([FieldError("", f"the draft has {size} bytes; at most {MAX_REVISION_BYTES} are allowed")])
    if before is not None and before.based_on == based_on and same(before.body, body):
        return before
    base = of_workflow(current)
    if based_on != current.version:
        base = written_of(await transaction.revision(current.id, based_on) or {})
    changes = compared(base, comparable(body))
    return await transaction.save_draft(current.id, body, based_on, len(changes))
