"""Workflows: what a user writes, what is stored, what the matchers' table holds."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, field_validator

from app.domain.reentry import ALWAYS, MAX_CHARS, PATTERN, parse_reentry
from app.domain.statuses import ActionStatus
from schemas.base import Contract
from schemas.event import EventType

MAX_REVISION_BYTES: Final = 128 * 1024
MAX_ACTIONS: Final = 50
HIGH_LANE_BELOW: Final = 4

Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"\S")]


def _reentry(value: str) -> str:
    parse_reentry(value)
    return value


Reentry = Annotated[
    str,
    Field(
        max_length=MAX_CHARS,
        pattern=PATTERN,
        description='How often one entity may enter: "always", "once", or "once per" a duration such as 7 days',
    ),
    AfterValidator(_reentry),
]


class _Strict(Contract):
    """What users send: an unknown key is a mistake they want to hear of."""

    model_config = ConfigDict(extra="forbid")


class Trigger(_Strict):
    """What starts the workflow."""

    type: EventType
    config: dict[str, Any] = Field(default_factory=dict)


OnError = Literal["stop", "continue"]
# A wait that cannot be computed must not let what comes after it run at once.
STOPPING: Final = frozenset({"delay"})


class Action(_Strict):
    """One step. ``config`` is checked against its action type's model, ``conditions`` against the evaluator."""

    type: Annotated[str, Field(min_length=1, max_length=100)]
    order: Annotated[int, Field(ge=0, le=1_000_000)]
    config: dict[str, Any] = Field(default_factory=dict)
    conditions: list[dict[str, Any]] = Field(default_factory=list, max_length=100)
    on_error: Annotated[
        OnError | None,
        Field(description="Whether the execution ends where this fails; left out: stop for delay, continue for others"),
    ] = None

    def breaks_off(self, status: str) -> bool:
        """Tell whether the execution ends here, as failed, where this step comes to ``status``."""
        stops = self.type in STOPPING if self.on_error is None else self.on_error == "stop"
        return stops and status == ActionStatus.FAILED


class WorkflowDraft(_Strict):
    """A workflow as a user writes it.

    Conditions and action configs are checked further by ``app.services.workflows``, which knows the action types.
    """

    name: Name
    description: Annotated[str, Field(max_length=10_000)] = ""
    priority: Annotated[int, Field(ge=1, le=9)] = 5
    reentry: Reentry = ALWAYS
    trigger: Trigger
    conditions: list[dict[str, Any]] = Field(default_factory=list, max_length=100)
    actions: list[Action] = Field(min_length=1, max_length=MAX_ACTIONS)

    @field_validator("actions")
    @classmethod
    def _orders_are_distinct(cls, actions: list[Action]) -> list[Action]:
        if len({action.order for action in actions}) != len(actions):
            raise ValueError("each action needs an order of its own")
        return actions


class Revision(Contract):
    """One immutable version of a workflow, as the outbox carries it to the matchers' table.

    ``deleted`` comes first and a tombstone follows later, so that a late reader cannot resurrect the workflow.
    """

    v: Literal[1] = 1
    id: UUID
    version: Annotated[int, Field(ge=1)]
    name: str
    active: bool
    deleted: bool = False
    priority: int = 5
    reentry: str = ALWAYS
    trigger: Trigger
    conditions: list[dict[str, Any]] = Field(default_factory=list)
    actions: list[Action] = Field(default_factory=list)
    owner: UUID
    updated_at: datetime


class Workflow(Contract):
    """A workflow as the API shows it."""

    id: UUID
    name: str
    description: str
    active: bool
    priority: int
    reentry: str
    trigger: Trigger
    conditions: list[dict[str, Any]]
    actions: list[Action]
    version: int
    created_by: UUID
    created_at: datetime
    updated_at: datetime
