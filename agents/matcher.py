"""The matcher: events in, commands and skipped executions out.

Input: the ``events.*`` topics and the workflow table's index. Output: one command per workflow whose conditions hold,
one finished execution per workflow whose conditions do not, a dead letter per record that is no event. Side effects:
none: the records are returned, and the batch is acked when all of them are durable.
"""

import logging
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson
from prometheus_client import Counter

from agents.slips import Road
from app.domain.conditions import CompiledConditions
from app.domain.errors import PoisonError
from app.domain.loops import RunBudget
from app.domain.planning import Plan, Trigger, plan
from app.domain.statuses import ExecutionStatus
from app.ports import Record
from app.services.dead_letters import DeadLetters
from app.topics import Topics
from schemas.base import encode
from schemas.command import Command, Lane, PinnedRevision
from schemas.incoming import Incoming, IncomingEvent, decode_event
from schemas.workflow import Action

log = logging.getLogger(__name__)

EVENTS = Counter("headrace_events_total", "Events read by the matcher, by what became of them", ["outcome"])
PLANS = Counter("headrace_plans_total", "Workflows evaluated, by whether their conditions held", ["met"])
BLOCKED = Counter(
    "headrace_executions_blocked_total", "Executions that loops or budgets kept from starting", ["reason"]
)


class ActiveWorkflow(Protocol):
    """A workflow as the table's index holds it."""

    @property
    def id(self) -> UUID:
        """Workflow id."""

    @property
    def conditions(self) -> CompiledConditions:
        """Compiled conditions."""

    @property
    def trigger_config(self) -> Mapping[str, Any]:
        """What else its trigger asks of an event."""

    @property
    def pinned(self) -> PinnedRevision:
        """The revision as commands carry it."""

    @property
    def encoded(self) -> bytes:
        """The pinned revision as JSON."""

    @property
    def actions(self) -> Sequence[Action]:
        """Its actions, in the order they run."""

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
        dead_letters: DeadLetters,
        max_age: float,
        clock: Callable[[], datetime],
        budget: RunBudget,
    ) -> None:
        self._topics = topics
        self._index = index
        self._road = road
        self._dead_letters = dead_letters
        self._max_age = max_age
        self._clock = clock
        self._budget = budget
        # Counted here and handed to the metrics once a batch: their locks cost more than the counting.
        self._outcomes: Tally[str] = Tally()
        self._counts: Tally[str] = Tally()
        self._blocked: Tally[str] = Tally()

    async def process(self, records: Iterable[Incoming]) -> list[Record]:
        """Plan every record; returns what follows from them, in order."""
        out: list[Record] = []
        for record in records:
            out.extend(self.match(record))
        self._report()
        return out

    def _report(self) -> None:
        for metric, tally in ((EVENTS, self._outcomes), (PLANS, self._counts), (BLOCKED, self._blocked)):
            for label, count in tally.items():
                metric.labels(label).inc(count)
            tally.clear()

    def match(self, record: Incoming) -> list[Record]:
        """Return what follows from one record; never raises, a mistake of ours becomes a dead letter."""
        now = self._clock()
        try:
            if record.timestamp is not None and now.timestamp() - record.timestamp > self._max_age:
                self._outcomes["too_old"] += 1
                return []
            incoming = decode_event(record)
            found = list(self._plans(incoming, now))
        except PoisonError as error:
            self._outcomes[error.reason] += 1
            return [self._dead_letters.build(record, error)]
        except Exception as error:
            log.exception("matching failed: %s/%d/%d", record.topic, record.partition, record.offset)
            self._outcomes["internal_error"] += 1
            return [self._dead_letters.build(record, PoisonError("internal_error", f"{type(error).__name__}: {error}"))]
        self._outcomes["matched" if found else "no_workflow"] += 1
        return found

    def _plans(self, incoming: IncomingEvent, now: datetime) -> Iterator[Record]:
        event = incoming.event
        workflows = self._index.matching(event.type)
        if not workflows:
            return
        trigger = Trigger(event.source, event.id, incoming.raw, event.data, event.causation, event.workflowid)
        # What all of the event's slips and rows have in common; the envelope goes in byte by byte.
        common = {"v": 1, "entity": incoming.entity, "event": orjson.Fragment(incoming.encoded)}
        key = incoming.entity.encode()
        for made in plan(trigger, workflows, now=now):
            self._counts["true" if made.met else "false"] += 1
            blocked = self._why_blocked(made, incoming.entity, now)
            if made.met and blocked is None:
                yield self._command(made, common, key, now)
            else:
                yield self._not_run(made, blocked, common, key, now)

    def _why_blocked(self, made: Plan[ActiveWorkflow], entity: str, now: datetime) -> str | None:
        if made.blocked is not None:
            self._blocked["loop"] += 1
            return made.blocked
        if not made.met:
            return None
        over = self._budget.spend(made.workflow.id, entity, made.execution_id, now.timestamp())
        if over is not None:
            self._blocked["budget"] += 1
        return over

    def _command(self, made: Plan[ActiveWorkflow], common: dict[str, Any], key: bytes, now: datetime) -> Record:
        workflow = made.workflow
        command = {
            **common,
            "execution_id": made.execution_id,
            "attempt": 1,
            "lane": workflow.lane,
            "workflow": orjson.Fragment(workflow.encoded),
            "matched_at": now,
            "verdicts": made.verdicts,
        }
        if workflow.actions[0].type not in self._road.known:
            return self._road.first(Command.model_validate_json(encode(command)))
        return Record(self._topics.actions(workflow.actions[0].type, workflow.lane), key, encode(command))

    def _not_run(
        self, made: Plan[ActiveWorkflow], blocked: str | None, common: dict[str, Any], key: bytes, now: datetime
    ) -> Record:
        execution = {
            **common,
            "execution_id": made.execution_id,
            "attempt": 0,
            "workflow_id": made.workflow.id,
            "version": made.workflow.pinned.version,
            "conditions_met": made.met,
            "verdicts": made.verdicts,
            "status": ExecutionStatus.SKIPPED if blocked is None else ExecutionStatus.BLOCKED,
            "error": blocked,
            "executed_at": now,
        }
        return Record(self._topics.executions, key, encode(execution))
