"""What is told of an event: its record, and what each workflow made of it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from schemas.base import Contract

Verdict = Literal[
    "ran",
    "under_way",
    "conditions_not_met",
    "turned_away",
    "not_allowed_again",
    "blocked",
    "too_costly",
    "too_old",
    "dead_lettered",
    "not_matched_yet",
    "no_workflow_then",
    "activated_later",
    "inactive",
    "other_trigger_then",
    "unreadable",
    "no_trace",
]
Fate = Literal["read", "not_matched_yet", "dead_lettered", "refused"]


class WorkflowVerdict(Contract):
    """What one workflow made of an event.

    Attributes:
        verdict: In a word, and ``why`` in a sentence.
        basis: ``log``: so it was; ``judged``: by the matchers' rule, with the workflow as it was then.
        version: The workflow's revision.
        execution_id: The execution, where there is one: ``ran``, and what the log has a row of.
        status: The execution's, with ``attempt``.
        since: ``not_allowed_again``: when it had entered; ``activated_later``: when it was activated.
        until: When an execution that waits goes on; null where its time is over, and it goes on in its turn.
        conditions: Verdicts of conditions that were not met: expected, actual and why. Left out where they are large.
        dead_letter: Number of the dead letter that its execution ended in.
    """

    workflow_id: UUID
    workflow_name: str
    verdict: Verdict
    why: str
    basis: Literal["log", "judged"]
    version: int | None = None
    execution_id: UUID | None = None
    status: str | None = None
    attempt: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    conditions: list[dict[str, Any]] = Field(default_factory=list)
    dead_letter: int | None = None


class EventReport(Contract):
    """An event of a topic, and what became of it.

    Attributes:
        received_at: Its time in Kafka, which its producer sets: as a rule when it came, with replays when it first did.
        id: Of the event, with ``source``, ``type`` and ``entity``; what is no event has them as far as they show.
        event: The whole event; null where it is none, or too large to be shown here (``size`` bytes).
        fate: Whether the matchers have read it, have not yet, or made it a dead letter, for the ``reason``. It is
            ``refused`` where today's rule refuses it for that and no dead letter of it is there: it may be on its way,
            or have been forgotten, or an older version took it. Where the log has executions of it, it was ``read``.
        workflows: What the workflows of its type that the caller may see made of it; ``workflows_left_out`` are more.
    """

    topic: str
    partition: int
    offset: int
    received_at: datetime | None
    id: str | None
    source: str | None
    type: str | None
    entity: str | None
    size: int
    event: dict[str, Any] | None
    fate: Fate
    reason: str | None = None
    detail: str | None = None
    dead_letter: int | None = None
    workflows: list[WorkflowVerdict] = Field(default_factory=list)
    workflows_left_out: int = 0
