"""Commands: the routing slip that carries an execution from step to step (docs/design.md#1-flow)."""

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import ConfigDict, Field

from app.domain.by_identity import ByIdentity
from app.domain.ids import command_id
from app.domain.route import NodeId, Outcome
from app.domain.statuses import ActionStatus
from schemas.base import Contract
from schemas.result import ActionResult
from schemas.workflow import Action

Lane = Literal["normal", "high"]


class PinnedRevision(Contract):
    """The revision an execution started on and finishes on; actions in the order they run."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    version: int
    name: str
    owner: UUID
    actions: list[Action]

    @property
    def begins_at(self) -> NodeId | None:
        """The node that comes first; see :class:`app.domain.route.Revision`."""
        return "0" if self.actions else None

    def position(self, node: NodeId) -> int:
        """Return a node's place among the actions, which slips, receipts and timers keep.

        Raises:
            KeyError: There is no such node.
        """
        if not (node.isdecimal() and node.isascii() and int(node) < len(self.actions)):
            raise KeyError(node)
        return int(node)

    def after(self, came_to: Outcome, /) -> NodeId | None:
        """Return the node after one."""
        following = self.position(came_to.node) + 1
        return str(following) if following < len(self.actions) else None

    def breaks_off(self, came_to: Outcome, /) -> bool:
        """Tell whether the execution ends, as failed, with what a node came to."""
        if came_to.status != ActionStatus.FAILED:
            return False  # whichever node it is of
        return self.actions[self.position(came_to.node)].breaks_off(came_to.status)

    def written(self) -> Any:
        """Return the bytes that it was read off, of one that was read, or its fields."""
        return _READ.get(self) or super().written()


_READ: Final = ByIdentity[PinnedRevision, orjson.Fragment]()


@lru_cache(maxsize=256)
def read_pinned(encoded: bytes) -> PinnedRevision:
    """Read a pinned revision; commands share it, so it must not be changed. It is written as it was read.

    Raises:
        ValidationError: It is none.
    """
    read = PinnedRevision.model_validate_json(encoded)
    _READ.put(read, orjson.Fragment(encoded))
    return read


class Command(Contract):
    """One step to carry out, with the execution so far.

    Attributes:
        attempt: Attempt at the whole execution, from 1; a manual retry is attempt n+1.
        step: Index into ``workflow.actions`` of the step to carry out.
        parked: How often this command was parked; a copy with a lower number is out of date.
        entity: The record key of every topic it passes: one entity's steps run in order.
        event: The CloudEvent as it was read.
        matched_at: When the matcher planned it; becomes the log row's ``executed_at``.
        tried: Attempts at this step before it was parked.
        tried_s: Seconds that those attempts and their backoffs took.
        waits_since: When this step first met an open circuit breaker, or its owner's share of CPU, by Postgres's clock.
        kept: In a retry, the successful results of the attempt before; those steps are not carried out again.
        doubtful: In a retry, the failed steps whose effect may have happened in an attempt before.
        retried_at: When a retry was asked for; its duration counts from here.
        event_at: When the event came into Kafka, while times from then on tell how fast Headrace is: not of an old
            event, after a wait that the workflow asked for, or in a retry.
        traceparent: The span that this step is a child of (W3C Trace Context), if the execution belongs to a trace.
        tracestate: What goes along with it.
    """

    v: Literal[1] = 1
    execution_id: UUID
    attempt: Annotated[int, Field(ge=1)] = 1
    step: Annotated[int, Field(ge=0)] = 0
    parked: Annotated[int, Field(ge=0)] = 0
    lane: Lane = "normal"
    entity: str
    workflow: PinnedRevision
    event: dict[str, Any]
    matched_at: datetime
    verdicts: list[dict[str, Any]] = Field(default_factory=list)
    results: list[ActionResult] = Field(default_factory=list)
    tried: int = 0
    tried_s: float = 0.0
    waits_since: datetime | None = None
    kept: list[ActionResult] = Field(default_factory=list)
    doubtful: list[int] = Field(default_factory=list)
    retried_at: datetime | None = None
    event_at: datetime | None = None
    traceparent: str | None = None
    tracestate: str | None = None

    @property
    def id(self) -> UUID:
        """The command id: the same for every copy of this step of this attempt."""
        return command_id(self.execution_id, self.attempt, self.step)

    @property
    def effect_id(self) -> UUID:
        """What the world outside knows the step's effect by: its Idempotency-Key, its Message-ID.

        The first attempt's command id, also in a retry that a person asked for: a receiver that has carried it out, and
        could not say so, knows it again.
        """
        return command_id(self.execution_id, 1, self.step)

    @property
    def spent(self) -> float:
        """Seconds of attempts and backoffs so far, against WORKFLOW_EXECUTION_TIMEOUT; queueing does not count.

        Nor does what a retry has kept: each attempt at an execution has the whole time.
        """
        kept = {result.step for result in self.kept}
        return sum(result.duration_ms for result in self.results if result.step not in kept) / 1000

    @property
    def action(self) -> Action:
        """The action to carry out."""
        return self.workflow.actions[self.step]
