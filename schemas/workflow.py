"""Workflows: what a user writes, what is stored, what the matchers' table holds."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from typing_extensions import TypedDict

from app.domain.reentry import ALWAYS, MAX_CHARS, PATTERN, check_key, parse_reentry, parse_window
from app.domain.statuses import ActionStatus
from schemas.base import Contract
from schemas.draft import DraftNote
from schemas.event import EventType
from schemas.problem import ProblemError
from schemas.together import Together, Wrong
from schemas.visible import VISIBLE

MAX_REVISION_BYTES: Final = 128 * 1024
MAX_ACTIONS: Final = 50
HIGH_LANE_BELOW: Final = 4

Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"\S"), VISIBLE]


def _reentry(value: str) -> str:
    parse_reentry(value)
    return value


def _written_true(value: Any) -> Any:
    # A literal is what equals it, and 1 equals True.
    if value is not True:
        raise ValueError("must be true")
    return value


def _window(value: str) -> str:
    parse_window(value)
    return value


ReentryText = Annotated[
    str,
    Field(
        max_length=MAX_CHARS,
        pattern=PATTERN,
        description='How often one entity may enter: "always", "once", or "once per" a duration such as 7 days',
    ),
    AfterValidator(_reentry),
]
ReentryKey = Annotated[
    str,
    Field(description="Path into the event's data, or from event on into its envelope: cart.id"),
    AfterValidator(check_key),
]


class OncePerKey(TypedDict):
    """Each value of a field may enter once."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]  # pydantic's documented way for a TypedDict

    once: Annotated[Literal[True], BeforeValidator(_written_true)]
    key: ReentryKey


class OncePerTimeAndKey(TypedDict):
    """Each value of a field may enter, but not sooner after its last entry than a duration such as 1 hour."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]  # as above

    once_per: Annotated[str, Field(max_length=MAX_CHARS), AfterValidator(_window)]
    key: ReentryKey


_TEXT: Final = TypeAdapter[str](ReentryText)
_ONCE: Final = TypeAdapter(OncePerKey)
_ONCE_PER: Final = TypeAdapter(OncePerTimeAndKey)


def _by_shape(value: Any, _: ValidatorFunctionWrapHandler) -> Any:
    """Check against the form that is meant, so that an error names the field and no member of a union."""
    if not isinstance(value, dict):
        return _TEXT.validate_python(value)
    return (_ONCE_PER if "once_per" in value else _ONCE).validate_python(value)


Reentry = Annotated[ReentryText | OncePerKey | OncePerTimeAndKey, WrapValidator(_by_shape)]
# As it is stored; what was right when it was saved is not refused when it is read.
StoredReentry = str | dict[str, Any]


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
    order: Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
    config: dict[str, Any] = Field(default_factory=dict)
    conditions: list[dict[str, Any]] = Field(default_factory=list, max_length=100)
    on_error: Annotated[
        OnError | None,
        Field(description="Whether the execution ends where this fails; left out: stop for delay, continue for others"),
    ] = None

    def written(self) -> dict[str, Any]:
        """Return the fields as JSON has them: ``on_error`` only where it says something."""
        fields = super().written()
        return fields if self.on_error else {name: value for name, value in fields.items() if name != "on_error"}

    def breaks_off(self, status: str) -> bool:
        """Tell whether the execution ends here, as failed, where this step comes to ``status``."""
        stops = self.type in STOPPING if self.on_error is None else self.on_error == "stop"
        return stops and status == ActionStatus.FAILED


class WorkflowDraft(Together, _Strict):
    """A workflow as a user writes it.

    Conditions and action configs are checked further by ``app.services.workflows.lifecycle``, which knows the action
    types.
    """

    SAID_ELSEWHERE: ClassVar[Mapping[str, str]] = {
        "active": "a workflow is switched on by POST /api/v1/workflows/{id}/activate, and off by .../deactivate",
    }

    name: Name
    description: Annotated[str, Field(max_length=10_000)] = ""
    priority: Annotated[int, Field(ge=1, le=9, strict=True)] = 5
    reentry: Reentry = ALWAYS
    trigger: Trigger
    conditions: list[dict[str, Any]] = Field(default_factory=list, max_length=100)
    actions: list[Action] = Field(min_length=1, max_length=MAX_ACTIONS)

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """Each action has an order of its own."""
        actions = written.get("actions")
        found: dict[float, int] = {}
        for position, action in enumerate(actions if isinstance(actions, list) else ()):
            order = action.get("order") if isinstance(action, Mapping) else getattr(action, "order", None)
            if isinstance(order, int | float) and found.setdefault(order, position) != position:
                said = f"actions[{found[order]}] and actions[{position}] have the same"
                yield "actions", f"each action needs an order of its own; {said}"
                return


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
    reentry: StoredReentry = ALWAYS
    trigger: Trigger
    conditions: list[dict[str, Any]] = Field(default_factory=list)
    actions: list[Action] = Field(default_factory=list)
    owner: UUID
    updated_at: datetime


class RecordedRevision(Revision):
    """A revision as it is kept: with its description."""

    description: str = ""


class Workflow(Contract):
    """A workflow as the API shows it.

    Attributes:
        deleted_at: Since when it is deleted; None where it is not.
        last_run_at: When it ran last, to 10 seconds; None where it never did.
        draft: What is to become of it, where that is not published yet.
        unreadable: What cannot be read of its row, and is left out here.
    """

    id: UUID
    name: str
    description: str
    active: bool
    priority: int
    reentry: StoredReentry
    trigger: Trigger
    conditions: list[dict[str, Any]]
    actions: list[Action]
    version: int
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    last_run_at: datetime | None = None
    draft: DraftNote | None = None
    hints: list[str] = Field(default_factory=list, description="What may not be meant so, though it is allowed")
    unreadable: list[ProblemError] = Field(default_factory=list)
