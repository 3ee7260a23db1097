"""Retries of executions that failed: attempt n+1, from the first step that was no success."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import ConflictError, NotFoundError
from app.domain.statuses import RETRYABLE
from app.ports import Record
from app.ports.audit import Noted
from app.ports.retries import Logged, RetryStore
from app.topics import Topics
from schemas.command import Command, Lane, PinnedRevision
from schemas.event import CUT
from schemas.verdicts import bounded_verdicts
from schemas.workflow import HIGH_LANE_BELOW


@dataclass(frozen=True, slots=True)
class Retried:
    """An attempt that is on its way, and the step it begins with (from 0)."""

    execution_id: UUID
    attempt: int
    step: int


class Retries:
    """The use case.

    Args:
        store: Where executions and the outbox are.
        topics: Names of the topics.
        action_types: The types this installation carries out.
        now: The clock, in UTC.
    """

    def __init__(
        self,
        store: RetryStore,
        topics: Topics,
        action_types: Container[str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._topics = topics
        self._action_types = action_types
        self._now = now

    async def retry(self, caller: Caller, execution_id: UUID) -> Retried:
        """Allocate the next attempt and put its first command into the outbox, in one transaction.

        Steps that succeeded are not carried out again; they keep their results. The attempt runs on the revision that
        the execution started on.

        Raises:
            NotFoundError: There is no such execution.
            ConflictError: It did not fail, its workflow is inactive, or another attempt has been allocated.
        """
        async with self._store.transaction(caller) as transaction:
            logged = await transaction.find(execution_id)
            if logged is None:
                raise NotFoundError("There is no such execution")
            command = self._command(logged)
            if not await transaction.take(logged):
                raise ConflictError(f"Attempt {logged.attempt + 1} is on its way already")
            topic = self._topics.actions(command.action.type, command.lane)
            await transaction.send(Record(topic, command.entity.encode(), command.encode()))
            said = {"workflow_id": str(logged.revision.id), "step": command.step}
            name = logged.revision.name
            await transaction.note(Noted("retried", "execution", str(execution_id), name, command.attempt, said))
        return Retried(execution_id, command.attempt, command.step)

    def _command(self, logged: Logged) -> Command:
        revision = logged.revision
        if logged.status not in RETRYABLE:
            raise ConflictError(f"The execution is {logged.status}; only failed, partial or timed_out ones are retried")
        if not logged.active:
            raise ConflictError("The workflow is inactive or deleted; what is inactive runs nothing")
        if CUT in logged.event:
            raise ConflictError("The execution's event was too large to be kept; send the event again")
        # What comes back from Postgres may have grown: it writes numbers out.
        kept = [result.bounded() for result in logged.results if result.status == "success"]
        done = {result.step for result in kept}
        step = next((step for step in range(len(revision.actions)) if step not in done), None)
        if step is None:
            raise ConflictError("Every step of the execution has succeeded; there is nothing to do again")
        if revision.actions[step].type not in self._action_types:
            raise ConflictError(f"This installation has no action type {revision.actions[step].type}")
        lane: Lane = "high" if revision.priority < HIGH_LANE_BELOW else "normal"
        return Command(
            execution_id=logged.execution_id,
            attempt=logged.attempt + 1,
            step=step,
            lane=lane,
            entity=logged.entity,
            workflow=PinnedRevision.model_validate(revision, from_attributes=True),
            event=logged.event,
            matched_at=logged.executed_at,
            verdicts=list(bounded_verdicts(logged.verdicts)),
            results=[result for result in kept if result.step < step],
            kept=kept,
            doubtful=[one.step for one in logged.results if one.uncertain and one.status != "success"],
            retried_at=self._now(),
        )
