"""Drafts of workflows: what one says of itself, beside the workflow that goes on running."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from schemas.base import Contract
from schemas.problem import ProblemError


class DraftNote(Contract):
    """That a workflow has a draft.

    Attributes:
        version: The draft's own number, its ETag.
        saved_by: Who saved it last.
        based_on: The version of the workflow that it was begun from.
        changes: In how many places it differs from that version.
    """

    version: int
    saved_at: datetime
    saved_by: UUID
    based_on: int
    changes: int


class Draft(DraftNote):
    """A draft.

    Attributes:
        workflow_id: What it is to become of.
        workflow: As it was written, right or not.
        problems: What keeps it from being published.
    """

    workflow_id: UUID
    workflow: dict[str, Any]
    problems: Annotated[list[ProblemError], Field(description="What keeps it from being published")]
    hints: list[str] = Field(default_factory=list, description="What may not be meant so, though it is allowed")
