"""The matcher: events in, commands and skipped executions out.

Input: the ``events.*`` topics and the workflow table's index. Output: one command per workflow whose conditions hold,
one finished execution per workflow whose conditions do not, a dead letter per record that is no event. Side effects:
none but those records; a batch is acked only when all of them are durable.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, cast
from uuid import UUID

import orjson
from app.domain.conditions import CompiledConditions
from prometheus_client import Counter

from agents.slips import Road
from app.domain.errors import PoisonError
from app.domain.planning import Plan, Trigger, plan
from app.ports import Record, Sender
from app.services.dead_letters import DeadLetters
from app.topics import Topics
from schemas.command import Command, Lane, PinnedRevision
from schemas.execution import Execution
from schemas.incoming import Incoming, IncomingEvent, decode_event

log = logging.getLogger(__name__)

EVENTS = Counter("headrace_events_total", "Events read by the matcher, by what became of them", ["outcome"])
PLANS = Counter("headrace_plans_total", "Workflows evaluated, by whether their conditions held", ["met"])


class ActiveWorkflow(Protocol):
    """A workflow as the table's index holds it."""

    @property
    def id(self) -> UUID:
        """Workflow id."""

    @property
    def conditions(self) -> CompiledConditions:
        """Compiled conditions."""

    @property
    def pinned(self) -> PinnedRevision:
        """The revision as commands carry it."""

    @property
    def lane(self) -> Lane:
        """Priority 1 to 3 takes the high lane."""


class Index(Protocol):
    """Active workflows by trigger type."""

    def matching(self, event_type: str) -> Sequence[ActiveWorkflow]:
        """Active workflows with this trigger type, in a stable order."""


class Matcher:
    """Turns batches of event records into commands."""

    def __init__(
        self,
        *,
        topics: Topics,
        index: Index,
        road: Road,
        sender: Sender,
        dead_letters: DeadLetters,
        max_age: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._topics = topics
        self._index = index
        self._road = road
        self._sender = sender
        self._dead_letters = dead_letters
        self._max_age = max_age
        self._clock = clock

    async def process(self, records: Iterable[Incoming]) -> None:
        """Plan every record and wait until what follows from them is durable."""
        out: list[Record] = []
        for record in records:
            out.extend(self.match(record))
        if out:
            await self._sender.send_all(out)

    def match(self, record: Incoming) -> list[Record]:
        """Return what follows from one record; never raises, a mistake of ours becomes a dead letter."""
        now = self._clock()
        try:
            if record.timestamp is not None and now.timestamp() - record.timestamp > self._max_age:
                EVENTS.labels("too_old").inc()
                return []
            incoming = decode_event(record)
            found = list(self._plans(incoming, now))
        except PoisonError as error:
            EVENTS.labels(error.reason).inc()
            return [self._dead_letters.build(record, error)]
        except Exception as error:
            log.exception("matching failed: %s/%d/%d", record.topic, record.partition, record.offset)
            EVENTS.labels("internal_error").inc()
            return [self._dead_letters.build(record, PoisonError("internal_error", f"{type(error).__name__}: {error}"))]
        EVENTS.labels("matched" if found else "no_workflow").inc()
        return found

    def _plans(self, incoming: IncomingEvent, now: datetime) -> Iterator[Record]:
        event = incoming.event
        workflows = self._index.matching(event.type)
        if not workflows:
            return
        trigger = Trigger(event.source, event.id, incoming.raw, event.data)
        # The envelope is encoded once and goes into every slip as it is.
        envelope = cast("dict[str, Any]", orjson.Fragment(incoming.encoded))
        for made in plan(trigger, workflows, now=now):
            PLANS.labels("true" if made.met else "false").inc()
            yield (
                self._command(made, incoming, envelope, now)
                if made.met
                else self._skipped(made, incoming, envelope, now)
            )

    def _command(
        self, made: Plan[ActiveWorkflow], incoming: IncomingEvent, envelope: dict[str, Any], now: datetime
    ) -> Record:
        command = Command.model_construct(
            v=1,
            execution_id=made.execution_id,
            attempt=1,
            step=0,
            parked=0,
            lane=made.workflow.lane,
            entity=incoming.entity,
            workflow=made.workflow.pinned,
            event=envelope,
            matched_at=now,
            verdicts=made.verdicts,
            results=[],
        )
        return self._road.first(command)

    def _skipped(
        self, made: Plan[ActiveWorkflow], incoming: IncomingEvent, envelope: dict[str, Any], now: datetime
    ) -> Record:
        pinned = made.workflow.pinned
        execution = Execution.model_construct(
            v=1,
            execution_id=made.execution_id,
            attempt=0,
            workflow_id=pinned.id,
            version=pinned.version,
            entity=incoming.entity,
            event=envelope,
            conditions_met=False,
            verdicts=made.verdicts,
            results=[],
            status="skipped",
            error=None,
            executed_at=now,
            duration_ms=0,
        )
        return Record(self._topics.executions, incoming.entity.encode(), execution.encode())


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)
