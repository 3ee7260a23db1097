"""What the API takes and gives around many workflows at once."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from app.admin.queries import Query, Text
from app.services.operations.bulk import Doing
from app.services.operations.cancelling import Waiting
from schemas.problem import ProblemError
from schemas.workflow import WorkflowDraft

MAX_IDS = 200


class BulkRequest(Query):
    """Which workflows, and what is done to each; ``waiting``: what becomes of executions that wait."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_IDS)]
    do: Doing
    waiting: Waiting | None = None


class BulkItem(BaseModel):
    """What became of one workflow: the status and text that it alone would have been answered with.

    Attributes:
        version: What it is at now; None where it is deleted or was refused.
        errors: The fields that keep it from that.
    """

    id: UUID
    status: int
    version: int | None = None
    detail: str = ""
    errors: list[ProblemError] = Field(default_factory=list)


class BulkAnswer(BaseModel):
    """An answer for each id, in their order; an id that was named twice has one."""

    items: list[BulkItem]


class ExportQuery(Query):
    """Which workflows to export; all that is given must hold. ``ids`` are separated by commas."""

    active: bool | None = None
    trigger_type: Text = None
    search: Text = None
    ids: Annotated[str | None, Field(max_length=MAX_IDS * 37, description="Ids, with commas between")] = None

    @field_validator("ids")
    @classmethod
    def _are_ids(cls, text: str | None) -> str | None:
        for one in (text or "").split(","):
            if text is not None:
                UUID(one.strip())
        return text

    @property
    def chosen(self) -> frozenset[UUID] | None:
        """Those that are named; None where none are."""
        return None if self.ids is None else frozenset(UUID(one.strip()) for one in self.ids.split(","))


class ExportedWorkflow(WorkflowDraft):
    """One line: what a user wrote, and whether it is on."""

    id: UUID
    active: bool
