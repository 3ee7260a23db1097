"""What the API takes and gives about executions: runs by hand, dry runs, pages of the log, what waits."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from app.admin.draft_models import Side
from app.admin.queries import Cursor, Limit, Query, Text
from app.domain.statuses import ExecutionStatus
from app.ports.executions import ExecutionSummary, WaitingExecution
from app.services.operations.dead_letter_box import LetterNote
from app.services.operations.dry_run_report import SimulatedResult
from schemas.moments import Moment
from schemas.together import Together, Wrong
from schemas.workflow import WorkflowDraft


def _statuses(text: str) -> str:
    unknown = sorted(set(text.split(",")) - set(ExecutionStatus))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no status; give one or several of {', '.join(ExecutionStatus)}")
    return text


_ONE_OF = "|".join(ExecutionStatus)
Statuses = Annotated[
    str,
    AfterValidator(_statuses),
    WithJsonSchema(
        {"type": "string", "pattern": f"^({_ONE_OF})(,({_ONE_OF}))*$", "description": "One, or several with commas"}
    ),
]
Words = Annotated[str | None, Field(min_length=1, max_length=100)]


class ExecutionChoice(Query):
    """Which executions; all that is given must hold. ``search`` looks into the workflow's name and the error."""

    workflow_id: UUID | None = None
    status: Statuses | None = None
    event_type: Text = None
    entity: Text = None
    event_id: Text = None
    search: Words = None

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that are asked for, each once; none: any."""
        given = tuple(dict.fromkeys(self.status.split(","))) if self.status else ()
        return () if len(given) == len(ExecutionStatus) else given


class ExecutionQuery(ExecutionChoice):
    """Which executions to list; ``from`` is inclusive, ``to`` exclusive, both ISO 8601 with an offset.

    A page with ``search``, or with several filters, may be short of rows, or have none, while there is a
    ``next_cursor``: it looks through a bounded part of the log, and the next one goes on.
    """

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    sort: Annotated[Literal["-executed_at", "executed_at"], Field(description="The newest first, or the oldest")] = (
        "-executed_at"
    )
    limit: Limit = 50
    cursor: Cursor = None


class WaitingQuery(Query):
    """Which waiting executions to list."""

    workflow_id: UUID | None = None
    entity: Text = None
    limit: Limit = 50
    cursor: Cursor = None


class ExecutionPage(BaseModel):
    """Executions, in order; with ``event_id``, the first page also says what was not processed of that event."""

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


class PastEvent(Together, Query):
    """An event that really came: by an execution that it started, or by its source and id.

    One that the log does not have is looked for in the topics, as ``GET /api/v1/events/lookup`` does it.

    Attributes:
        since: When it may have come into Kafka; by default within the last day.
        entity: Whom it is about: it is found sooner.
    """

    execution_id: UUID | None = None
    source: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    id: Text = None
    since: Moment | None = None
    entity: Text = None

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """It names one event, one way."""
        by_execution, source, event_id = (written.get(name) is not None for name in ("execution_id", "source", "id"))
        if by_execution is (source and event_id) or source is not event_id:
            yield "", "needs either execution_id, or source and id"


class TrialRequest(Together, Query):
    """An event to try a workflow on, and what its steps shall be taken to come to, by their position.

    One of three: ``event`` holds CloudEvents attributes; those left out are made up, the type from the workflow's
    trigger. ``sample``: a sample of the trigger's type. ``past``: an event that really came.
    """

    sample: bool = False
    past: PastEvent | None = None

    current: CurrentRequest = Field(default_factory=CurrentRequest)
    event: dict[str, Any] = Field(default_factory=dict)
    results: dict[Annotated[int, Field(ge=0, le=49)], SimulatedResult] = Field(default_factory=dict)

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """It has one event."""
        if sum((bool(written.get("event")), written.get("sample") is True, written.get("past") is not None)) > 1:
            yield "", "only one of event, sample and past can be given"


class DryRunRequest(TrialRequest):
    """An event to try a stored workflow on (one of ``event``, ``sample``, ``past``), and which state of it to try."""

    version: Side = "live"


class DraftDryRunRequest(TrialRequest):
    """An event to try a draft on (one of ``event``, ``sample``, ``past``), and the draft."""

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
