"""Executions: what the matcher and the executors tell the sink, one row each in the end."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from schemas.base import Contract
from schemas.result import ActionResult

Status = Literal["success", "partial", "failed", "skipped", "stopped", "blocked", "timed_out"]
# As much as an integer of the log's columns holds.
MOST_COUNTED: Final = 2**31 - 1
Counted = Annotated[int, Field(ge=0, le=MOST_COUNTED)]


class Execution(Contract):
    """A finished execution: why it ran or did not, and what each step came to.

    Attributes:
        attempt: 0 where the matcher wrote it (nothing ran); a higher attempt replaces a lower one's row.
        conditions_met: False also where conditions were not evaluated (``blocked``).
        executed_at: When it was matched; with the id it is the row's primary key.
        duration_ms: The time from matching to the end of the last step.
        event_at: When the event came into Kafka, where the time from then on is one that metrics observe.
        traceparent: The span that the row is a child of, if the execution belongs to a trace.
        tracestate: What goes along with it.
    """

    v: Literal[1] = 1
    execution_id: UUID
    attempt: Counted
    workflow_id: UUID
    version: Counted
    entity: str
    event: dict[str, Any]
    conditions_met: bool
    verdicts: list[dict[str, Any]] = Field(default_factory=list)
    results: list[ActionResult] = Field(default_factory=list)
    status: Status
    error: str | None = None
    executed_at: datetime
    duration_ms: Counted = 0
    event_at: datetime | None = None
    traceparent: str | None = None
    tracestate: str | None = None
