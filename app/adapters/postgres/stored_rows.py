"""Rows of workflows, their revisions and templates as the API reads them: what cannot be read is left out, and named.

The database refuses users what no reader could load. A hand with more rights, an older program or a backup may have put
it there: such a row takes neither itself nor the others of its page from sight.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Row

from app.adapters.postgres.logged_rows import readable, said
from app.domain.errors import FieldError
from app.domain.reentry import ALWAYS
from app.metrics.admin import UNREADABLE_ROWS
from schemas.field_errors import field_errors
from schemas.problem import ProblemError
from schemas.template import Template
from schemas.workflow import RecordedRevision, Trigger, Workflow

_LOG: Final = logging.getLogger(__name__)
_REMEMBERED: Final = 1000
_INSTEAD: Final[Mapping[str, Any]] = {
    "name": "",
    "description": "",
    "category": None,
    "active": False,
    "deleted": False,
    "is_public": False,
    "priority": 5,
    "reentry": ALWAYS,
    "draft": None,
    "v": 1,
}

M = TypeVar("M", Workflow, Template)


def stored(model: type[M], fields: Mapping[str, Any]) -> M:
    """Return a row, with what can be read of it."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        return model.model_validate(_in_part(fields, error, fields["id"], {}, is_template=model is Template))


def recorded(workflow_id: UUID, row: Row[Any]) -> dict[str, Any]:
    """Return a revision's body with who wrote it; what cannot be read of it, but its row tells, is the row's."""
    body = row.body if isinstance(row.body, dict) else {}
    try:
        RecordedRevision.model_validate(row.body)
    except ValidationError as error:
        own = {"id": workflow_id, "version": row.version, "owner": row.created_by, "updated_at": row.created_at}
        body = _in_part(body, error, workflow_id, own)
    return {**body, "written_by": row.created_by}


def _in_part(
    fields: Mapping[str, Any],
    error: ValidationError,
    row_id: UUID,
    own: Mapping[str, Any],
    *,
    is_template: bool = False,
) -> dict[str, Any]:
    wrong = field_errors(error, None)
    _tell(row_id, tuple(wrong), is_template=is_template)
    kept = readable(fields, error, {**_INSTEAD, "trigger": _trigger(fields.get("trigger")), **own})
    return {**kept, "unreadable": [ProblemError(path=one.path, message=one.message) for one in wrong]}


def _trigger(stored: Any) -> Trigger:
    """Return a trigger of which no more than its type can be shown."""
    kind = stored.get("type") if isinstance(stored, Mapping) else None
    return Trigger.model_construct(type=kind if isinstance(kind, str) else "", config={})


@lru_cache(_REMEMBERED)
def _tell(row_id: UUID, wrong: tuple[FieldError, ...], *, is_template: bool) -> None:
    UNREADABLE_ROWS.inc()
    told = {"template_id" if is_template else "workflow_id": str(row_id), "why": said(wrong)}
    _LOG.error("a workflow or template is stored as cannot be read in full", extra=told)
