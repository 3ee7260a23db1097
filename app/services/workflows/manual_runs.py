"""Manual runs: one workflow, started by hand, on the same path as any event."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from app.domain.callers import Caller
from app.domain.errors import ConflictError, InvalidError
from app.domain.ids import execution_id
from app.ports import Sender
from app.ports.audit import AuditNotes, Noted
from app.ports.workflows import Workflows
from app.services.ingest.emitter import own_event_record
from app.services.workflows.stored_problems import unmatchable
from app.topics import Topics
from schemas.workflow import Workflow

SOURCE: Final = "/headrace/manual"
TAKES_EFFECT_S: Final = 1.0  # what is promised of a change: every matcher knows by then


@dataclass(frozen=True, slots=True)
class Started:
    """A run that Kafka has for good; the execution's row appears under its id once it has finished."""

    execution_id: UUID
    event_id: str
    event_type: str


class ManualRuns:
    """Starts runs by hand.

    Args:
        workflows: Where workflows are found.
        sender: Takes the events.
        topics: Names of the topics.
        trail: The audit trail.
        now: The clock, in UTC.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        workflows: Workflows,
        sender: Sender,
        topics: Topics,
        trail: AuditNotes,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._workflows = workflows
        self._sender = sender
        self._topics = topics
        self._trail = trail
        self._now = now
        self._sleep = sleep

    async def start(self, caller: Caller, workflow_id: UUID, data: dict[str, Any], subject: str | None) -> Started:
        """Emit an event of the workflow's own trigger type that only this workflow may run for.

        Conditions and trigger settings are judged as for any event: a run that they refuse is logged as skipped. A
        workflow that was changed within the last second runs when every matcher knows the change.

        Raises:
            NotFoundError: There is no such workflow.
            ConflictError: It is inactive, or was stored as no matcher can run it.
            InvalidError: The data breaks the contract of events.
            UnreachableError: Kafka did not confirm the event; it may or may not arrive. Or Postgres does not answer.
        """
        workflow = await self._workflows.get(caller, workflow_id)
        if not workflow.active:
            raise ConflictError("The workflow is inactive; activate it first")
        wrong = unmatchable(workflow)
        if wrong:
            raise ConflictError(f"No matcher can run the workflow, {InvalidError(wrong)}; change that first")
        event = _event(workflow, data, subject, self._now())
        record, event_id = own_event_record(self._topics, event), event["id"]
        fresh = TAKES_EFFECT_S - (self._now() - workflow.updated_at).total_seconds()
        if fresh > 0:
            await self._sleep(min(fresh, TAKES_EFFECT_S))
        started = Started(execution_id(workflow.id, SOURCE, event_id), event_id, workflow.trigger.type)
        # First, so that no run is without its line: the worst of it is a line of a run that Kafka did not take.
        said = {"workflow_id": str(workflow.id)}
        run = Noted("run_by_hand", "execution", str(started.execution_id), workflow.name, said=said)
        await self._trail.note(caller, run)
        await self._sender.send(record)
        return started


def _event(workflow: Workflow, data: dict[str, Any], subject: str | None, now: datetime) -> dict[str, Any]:
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": SOURCE,
        "type": workflow.trigger.type,
        "time": now.isoformat(),
        "workflowid": str(workflow.id),
        "data": data,
    }
    return event if subject is None else {**event, "subject": subject}
