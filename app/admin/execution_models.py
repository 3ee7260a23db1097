"""What the API takes and gives about executions: runs by hand, dry runs, pages of the log, what waits."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.admin.queries import Cursor, Limit, Query, Text
from app.ports.executions import ExecutionSummary, WaitingExecution
from app.services.operations.dead_letter_box import LetterNote
from app.services.operations.dry_run_report import SimulatedResult
from schemas.execution import Status
from schemas.workflow import WorkflowDraft


class ExecutionQuery(Query):
    """Which executions to list; ``from`` is inclusive, ``to`` exclusive, both ISO 8601 with an offset."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    workflow_id: UUID | None = None
    status: Status | None = None
    since: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: Annotated[AwareDatetime | None, Field(alias="to")] = None
    entity: Text = None
    event_id: Text = None
    limit: Limit = 50
    cursor: Cursor = None


class WaitingQuery(Query):
    """Which waiting executions to list."""

    workflow_id: UUID | None = None
    entity: Text = None
    limit: Limit = 50
    cursor: Cursor = None


class ExecutionPage(BaseModel):
    """Executions, newest first; with ``event_id``, the first page also says what was not processed of that event."""

    items: list[ExecutionSummary]
    next_cursor: str | None
    dead_letters: list[LetterNote] = Field(default_factory=list)


class WaitingPage(BaseModel):
    """Executions that wait, those due first first."""

    items: list[WaitingExecution]
    next_cursor: str | None


class RunRequest(Query):
    """What a run by hand starts with: the event's ``data``, and whom it is about."""

    data: dict[str, Any] = Field(default_factory=dict)
    subject: Text = None


class RunStarted(BaseModel):
    """A run that Kafka has for good; ``/api/v1/executions/{execution_id}`` shows it once it has finished."""

    execution_id: UUID
    event_id: str
    event_type: str


class CurrentRequest(Query):
    """What ``current`` shall be taken to be in a dry run; what is left out is looked up."""

    customer: dict[str, Any] | None = None
    order: dict[str, Any] | None = None


class DryRunRequest(Query):
    """An event to try a workflow on, and what its steps shall be taken to come to, by their position.

    ``event`` holds CloudEvents attributes; those left out are made up, the type from the workflow's trigger.
    """

    current: CurrentRequest = Field(default_factory=CurrentRequest)
    event: dict[str, Any] = Field(default_factory=dict)
    results: dict[Annotated[int, Field(ge=0, le=49)], SimulatedResult] = Field(default_factory=dict)


class DraftDryRunRequest(DryRunRequest):
    """As ``DryRunRequest``, with the draft to try."""

    workflow: WorkflowDraft


class RetryStarted(BaseModel):
    """An attempt that is on its way: its number, and the step it begins with (from 0)."""

    execution_id: UUID
    attempt: int
    step: int


class CancelledView(BaseModel):
    """How many waiting executions were cancelled."""

    cancelled: int


class DeactivationQuery(Query):
    """What becomes of executions that wait: they finish as if nothing had happened, or are cancelled."""

    waiting: Literal["finish", "cancel"] | None = None
