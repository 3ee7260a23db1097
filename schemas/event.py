"""Events: CloudEvents 1.0 (https://github.com/cloudevents/spec), as this service reads them."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from schemas.base import Contract
from schemas.event_types import type_problem
from schemas.moments import WrittenMoment

MAX_EVENT_BYTES: Final = 256 * 1024
# Marks what is left of an event where a row has no room for it; no attribute of a CloudEvent can have this name.
CUT: Final = "headrace:cut"


def _known_type(value: str) -> str:
    if problem := type_problem(value):
        raise ValueError(problem)
    return value


EventType = Annotated[str, AfterValidator(_known_type)]
Text256 = Annotated[str, Field(min_length=1, max_length=256)]


class Event(Contract):
    """One business event. Extension attributes beyond those named here are kept as they came."""

    model_config = ConfigDict(extra="allow", frozen=True)

    specversion: Literal["1.0"]
    id: Text256
    source: Annotated[str, Field(min_length=1, max_length=1024)]
    type: EventType
    subject: Text256 | None = None
    time: WrittenMoment | None = None
    datacontenttype: str | None = None
    partitionkey: Text256 | None = None
    causation: Annotated[str, Field(max_length=8192)] | None = Field(
        None, description="The chain that led here: workflow-id/execution-id, oldest first, joined by commas"
    )
    workflowid: UUID | None = Field(
        None, description="Only this workflow may run for it: manual runs, temporal triggers, audiences"
    )
    data: dict[str, Any] = Field(default_factory=dict)
