"""Executions: the log of those that ended, and those that wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Protocol
from uuid import UUID

from pydantic import AfterValidator, Field, computed_field

from app.domain.callers import Caller
from app.domain.paging import Position
from app.ports.timers import TimerKind
from schemas.base import Contract
from schemas.execution import Status
from schemas.moments import is_kept
from schemas.problem import ProblemError
from schemas.result import ActionResult

UNKNOWN_STATUS: Final = "unknown"
# A step waits for as long as anything may, and no longer than this many years.
_MOST_MS: Final = 100 * 366 * 86_400_000


def _can_be_reckoned_with(result: ActionResult) -> ActionResult:
    for name in ("executed_at", "resume_at"):
        at = getattr(result, name)
        if at is not None and not is_kept(at):
            raise ValueError(f"has a time in {name} without an offset, before the year 1970 or after 9998")
    if not 0 <= result.duration_ms <= _MOST_MS:
        raise ValueError("has a duration_ms that is none")
    return result


LoggedVerdicts = list[dict[str, Any]]
LoggedResults = list[Annotated[ActionResult, AfterValidator(_can_be_reckoned_with)]]


class ExecutionSummary(Contract):
    """One line of the log, under our names and under the specification's.

    Attributes:
        attempt: 0 where nothing ran, else the attempt that this row tells of.
        status: How it ended; ``unknown`` where the log has another word than any that there is.
        executed_at: When the event was matched.
        duration_ms: The time from matching to the end of the last step.
        unreadable: What cannot be read of its row, and was left out; told only where there is any.
    """

    id: UUID
    workflow_id: UUID
    workflow_name: str
    version: int
    attempt: int
    entity: str | None
    event_id: str | None
    event_type: str | None
    status: Literal[Status, "unknown"]
    conditions_met: bool
    error: str | None
    executed_at: datetime
    duration_ms: int | None
    unreadable: list[ProblemError] = Field(default_factory=list)

    @computed_field(description="The specification's name of workflow_id")  # type: ignore[prop-decorator]
    @property
    def automation_id(self) -> UUID:
        """The workflow's id, as the specification names it."""
        return self.workflow_id

    @computed_field(description="The specification's name of duration_ms")  # type: ignore[prop-decorator]
    @property
    def execution_duration_ms(self) -> int | None:
        """The duration, as the specification names it."""
        return self.duration_ms

    def written(self) -> dict[str, Any]:
        """Return the fields as JSON has them, the specification's names among them."""
        fields = {**self.__dict__, **{name: getattr(self, name) for name in type(self).model_computed_fields}}
        if not self.unreadable:
            del fields["unreadable"]
        return fields


class ExecutionDetail(ExecutionSummary):
    """An execution in full: the event, each condition's verdict, each action's result, and why, in a sentence."""

    explanation: str = ""
    event: dict[str, Any]
    verdicts: LoggedVerdicts = Field(default_factory=list)
    results: LoggedResults = Field(default_factory=list)

    @computed_field(description="The specification's name of event")  # type: ignore[prop-decorator]
    @property
    def trigger_event(self) -> dict[str, Any]:
        """The event, as the specification names it."""
        return self.event

    @computed_field(description="The specification's name of verdicts")  # type: ignore[prop-decorator]
    @property
    def conditions_result(self) -> list[dict[str, Any]]:
        """The verdicts, as the specification names them."""
        return self.verdicts

    @computed_field(description="The specification's name of results")  # type: ignore[prop-decorator]
    @property
    def actions_executed(self) -> list[ActionResult]:
        """The results, as the specification names them."""
        return self.results


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """Which executions to list; all that is given must hold. ``since`` is inclusive, ``until`` exclusive.

    Attributes:
        statuses: One of them; none: any.
        search: Words that the workflow's name or the error has.
    """

    workflow_id: UUID | None = None
    statuses: tuple[str, ...] = ()
    event_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    entity: str | None = None
    event_id: str | None = None
    search: str | None = None
    oldest_first: bool = False


class ExecutionStore(Protocol):
    """Where executions are kept."""

    async def find(
        self, caller: Caller, wanted: ExecutionFilter, after: Position | None, limit: int
    ) -> Sequence[ExecutionSummary]:
        """Return at most ``limit`` executions of workflows the caller may see, in order, after a position.

        Words, and filters that no index answers together, are looked for in a bounded part of the log: where there may
        be more beyond it, the answer is a
        :class:`app.domain.paging.LookedThrough`.
        """

    async def get(self, caller: Caller, execution_id: UUID) -> ExecutionDetail | None:
        """Return one of a workflow the caller may see, also from the archive."""

    async def led_to(self, caller: Caller, cause: ExecutionSummary, limit: int) -> Sequence[ExecutionSummary]:
        """Return at most ``limit`` executions whose event a step of this one made, the oldest first.

        They are looked for among the next ones about the same entity, within a bounded part of the log.
        """


class WaitingExecution(Contract):
    """One execution that waits.

    Attributes:
        id: The execution's id.
        command_id: The command of the step that waits, or whose delay it is.
        step: The position of that step, from 0.
        kind: What it waits for.
        next_action: The type of the step that it goes on with; None: it ends then.
        reason: What it waits for, in words.
        due: When its own time is over; the list is in this order.
        goes_on: When it goes on: the later of ``due`` and, where it waits for a circuit breaker, of when that is half
            open, which may have been pushed on since. Null where that is over: it goes on as soon as it is its turn.
        since: When it began to wait.
    """

    id: UUID
    command_id: UUID
    workflow_id: UUID
    workflow_name: str
    entity: str
    step: int
    kind: TimerKind
    next_action: str | None = None
    reason: str
    due: datetime
    goes_on: datetime | None
    since: datetime


class WaitingStore(Protocol):
    """Where they are kept."""

    async def find(
        self, caller: Caller, workflow_id: UUID | None, entity: str | None, after: Position | None, limit: int
    ) -> Sequence[WaitingExecution]:
        """Return at most ``limit`` of workflows the caller may see, those due first first, after a position."""
