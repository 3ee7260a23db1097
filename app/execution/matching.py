"""The matcher: events in, commands and skipped executions out.

Input: the ``events.*`` topics, the internal one, and the workflow table's index. Output: one command per workflow whose
conditions hold, one finished execution per workflow whose conditions do not (or whose entity may not enter again), a
dead letter per record that is no event, or may not be on its topic (``app.services.ingest.admission``); one record of
the executions that an event starts over an owner's quota, for where they wait. Side effects: entries, of workflows that
bound them. The records are yielded in parts; an event is acked when all that follows from it is durable.
"""

import logging
import time
from collections import Counter as Tally
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import orjson

from app.domain.errors import PoisonError, our_mistake
from app.domain.evaluate import OVER_SHARE, Outcome, Plan, TurnedAway, evaluate
from app.domain.log_context import about, aside
from app.domain.loops import RunBudget
from app.domain.quotas import NEVER
from app.domain.record_times import check_record_time, is_observed, is_too_old
from app.domain.reentry import skip_reason
from app.domain.shares import Shares
from app.domain.statuses import ExecutionStatus
from app.execution.matched import Asking, Matched
from app.execution.parts import Part
from app.execution.quota import First, Over, Quota
from app.execution.routing import Router
from app.execution.tracing import NO_TRACING, MatchTraces
from app.metrics.matcher import BLOCKED, EVENT_TO_MATCH, EVENTS, FORGOTTEN, KEYLESS, PLANS, REENTRIES
from app.metrics.walls import WALLS
from app.ports import Entries, Record
from app.ports.active_workflows import ActiveWorkflow, Index
from app.ports.outbox import BATCH_BYTES
from app.ports.tracing import Span, Tracer
from app.services.delivery.dead_letters import DeadLetters
from app.services.ingest.admission import Admission, trigger_of
from app.topics import Topics
from schemas.base import encode
from schemas.command import Command
from schemas.incoming import Incoming, IncomingEvent, decode_event
from schemas.log_ids import of_event, of_record
from schemas.verdicts import bounded_verdicts

log = logging.getLogger(__name__)

# Of a core, for one owner's conditions: less than of what executors render, as every event behind them waits. Only what
# takes several ms a time is counted.
_SHARE: Final = 0.1
_BURST_S: Final = 0.25

Planned = Record | Over | Asking

_OWN_BYTES: Final = 1024  # of a record beside its event: verdicts, and in a slip the workflow


class Matcher:
    """Turns batches of event records into commands.

    Args:
        clock: The time of day, as all processes have it: it goes into what others wait and judge by.
        monotonic: Seconds of a clock that only goes forward: what an owner and an entity may start goes by it.
        part_bytes: About how much of what follows from a batch is in one part. Each workflow that waits for an event
            makes a record that holds the event: of 256 events that a thousand wait for, gigabytes follow.
    """

    def __init__(
        self,
        *,
        topics: Topics,
        index: Index,
        router: Router,
        dead_letters: DeadLetters,
        max_age: float,
        clock: Callable[[], datetime],
        budget: RunBudget,
        entries: Entries,
        quota: Quota,
        tracer: Tracer = NO_TRACING,
        monotonic: Callable[[], float] = time.monotonic,
        part_bytes: int = BATCH_BYTES,
    ) -> None:
        self._topics = topics
        self._admission = Admission(topics)
        self._index = index
        self._router = router
        self._dead_letters = dead_letters
        self._max_age = max_age
        self._clock = clock
        self._monotonic = monotonic
        self._budget = budget
        self._entries = entries
        self._quota = quota
        self._part_bytes = part_bytes
        self._traces = MatchTraces(tracer, topics.matcher_app)
        # Counted here and handed to the metrics once a part: their locks cost more than the counting.
        self._shares = Shares(share=_SHARE, burst=_BURST_S)
        self._outcomes: Tally[str] = Tally()
        self._counts: Tally[str] = Tally()
        self._blocked: Tally[str] = Tally()
        self._ages: list[float] = []

    async def process(self, records: Iterable[Incoming]) -> AsyncGenerator[Part]:
        """Plan every record; yields what follows from them, in order.

        Raises:
            UnreachableError: An entity's entry cannot be looked up; the batch must stay unacked.
        """
        try:
            with closing(self._parts(records)) as parts:
                for planned, done in parts:
                    with aside():
                        out = await self._settled(planned)
                        self._traces.end()
                        self._report()
                        yield Part(out, done)
        except BaseException as error:
            self._traces.end(error)
            raise

    def _parts(self, records: Iterable[Incoming]) -> Generator[tuple[list[Planned], list[Incoming]]]:
        """Yield what is planned, about a part at a time, and the records that it ends."""
        planned, done, size = list[Planned](), list[Incoming](), 0
        for record in records:
            each = len(record.value or b"") + _OWN_BYTES
            for one in self.match(record):
                planned.append(one)
                size += each
                if size >= self._part_bytes:
                    yield planned, done
                    planned, done, size = [], [], 0
            done.append(record)
        if done:
            yield planned, done

    async def _settled(self, planned: Sequence[Planned]) -> list[Record]:
        """Ask entries and quotas about what was planned."""
        asking = [item for item in planned if isinstance(item, Asking)]
        since = iter(await self._entries.enter([item.entry for item in asking]) if asking else ())
        judged = [self._enter(item, next(since)) if isinstance(item, Asking) else item for item in planned]
        return await self._quota.settle(judged)

    def _report(self) -> None:
        FORGOTTEN.inc(self._budget.forgotten)
        self._budget.forgotten = 0
        for metric, tally in ((EVENTS, self._outcomes), (PLANS, self._counts), (BLOCKED, self._blocked)):
            for label, count in tally.items():
                metric.labels(label).inc(count)
            tally.clear()
        EVENT_TO_MATCH.observe_all(self._ages)
        self._ages.clear()

    def match(self, record: Incoming) -> Iterator[Planned]:
        """Yield what follows from one record; never raises, a mistake of ours becomes a dead letter."""
        found = 0
        now = self._clock()
        seconds = now.timestamp()
        about(of_record, record)
        try:
            if record.timestamp is not None:
                check_record_time(record.timestamp, seconds)
                if is_too_old(record.timestamp, seconds, self._max_age):
                    self._outcomes["too_old"] += 1
                    return
            incoming = decode_event(record)
            about(of_event, record, incoming.event.id, incoming.event.source)
            self._admission.check(incoming.event, record.topic)
            fresh = is_observed(record.timestamp, seconds)
            if fresh:
                self._ages.append(max(0.0, seconds - (record.timestamp or 0.0)))
            workflows = self._index.matching(incoming.event.type)
            if workflows:
                found = yield from self._plans(incoming, workflows, record, now, fresh=fresh)
            self._counts["turned_away"] += len(workflows) - found
        except PoisonError as error:
            self._outcomes[error.reason] += 1
            yield self._dead_letters.build(record, error)
        except Exception as error:
            log.exception("matching failed")
            self._outcomes["internal_error"] += 1
            yield self._dead_letters.build(record, our_mistake(error))
        else:
            # What a trigger's config, or an event's own choice of its workflow, turned away is counted apart.
            self._outcomes["matched" if found else "turned_away" if workflows else "no_workflow"] += 1

    def _plans(
        self,
        incoming: IncomingEvent,
        workflows: Sequence[ActiveWorkflow],
        record: Incoming,
        now: datetime,
        *,
        fresh: bool,
    ) -> Generator[Planned, None, int]:
        """Yield what is planned for an event; returns how many workflows its trigger concerned."""
        timestamp = record.timestamp
        at = now if timestamp is None else min(now, datetime.fromtimestamp(timestamp, UTC))
        common = {"v": 1, "entity": incoming.entity, "event": orjson.Fragment(incoming.encoded)}
        if fresh:
            common["event_at"] = at
        matched = Matched(incoming.entity, incoming.entity.encode(), common, at, now, record)
        span: Span | None = None
        executions: list[UUID] = []
        try:
            for made in evaluate(trigger_of(incoming), workflows, now=now, shares=self._shares):
                if isinstance(made, TurnedAway):
                    continue
                if span is None:
                    span = self._traces.begin(incoming, record)
                    if span.context is not None:
                        common |= span.context.headers
                executions.append(made.execution_id)
                self._counts["true" if made.met else "false"] += 1
                reentry = made.workflow.reentry
                if reentry is not None and made.who is not None:
                    yield Asking(made, reentry, matched, made.who)
                else:
                    yield self._judge(made, matched)
        finally:
            if span is not None:
                self._traces.planned(span, executions)
        return len(executions)

    def _enter(self, asking: Asking, since: datetime | None) -> Record | Over:
        if since is None:
            return self._judge(asking.made, asking.matched)
        REENTRIES.inc()
        why = skip_reason(asking.reentry, since, asking.who)
        return self._not_run(asking.made, ExecutionStatus.SKIPPED, why, asking.matched)

    def _judge(self, made: Plan[ActiveWorkflow], matched: Matched) -> Record | Over:
        status = made.outcome.status
        if status is not None:
            self._count_kept(made)
            return self._not_run(made, status, made.why, matched)
        over = self._budget.spend(made.workflow.id, matched.entity, made.execution_id, self._monotonic())
        if over is not None:
            self._blocked["budget"] += 1
            return self._not_run(made, ExecutionStatus.BLOCKED, over, matched)
        return self._start(made, matched)

    def _count_kept(self, made: Plan[ActiveWorkflow]) -> None:
        if made.outcome is Outcome.COSTLY:
            WALLS.labels("conditions", "over_share" if made.why == OVER_SHARE else "reached").inc()
        elif made.outcome is Outcome.KEYLESS:
            KEYLESS.inc()
        elif made.outcome is Outcome.BLOCKED:
            self._blocked["loop"] += 1

    def _start(self, made: Plan[ActiveWorkflow], matched: Matched) -> Record | Over:
        first = self._command(made, matched)
        if made.workflow.first_action not in self._router.known:  # fails at once, which is of no account
            return self._router.first(Command.model_validate_json(first.record().value or b""), first.cause)
        wait = self._quota.wait(first.owner, self._monotonic())
        if not wait:
            return first.record()
        if wait == NEVER:
            return Over(first, matched.now, self._not_run(made, ExecutionStatus.BLOCKED, self._quota.full, matched))
        return Over(first, matched.now + timedelta(seconds=wait))

    def _command(self, made: Plan[ActiveWorkflow], matched: Matched) -> First:
        workflow = made.workflow
        fields = {
            "execution_id": made.execution_id,
            "attempt": 1,
            "lane": workflow.lane,
            "workflow": orjson.Fragment(workflow.encoded),
            "matched_at": matched.now,
            "verdicts": bounded_verdicts(made.verdicts),
        }
        topic = self._topics.actions(workflow.first_action, workflow.lane)
        return First(topic, matched.key, workflow.owner, matched.common, fields, matched.record)

    def _not_run(
        self, made: Plan[ActiveWorkflow], status: ExecutionStatus, why: str | None, matched: Matched
    ) -> Record:
        execution = {
            **matched.common,
            "execution_id": made.execution_id,
            "attempt": 0,
            "workflow_id": made.workflow.id,
            "version": made.workflow.version,
            "conditions_met": made.met,
            "verdicts": bounded_verdicts(made.verdicts),
            "status": status,
            "error": why,
            "executed_at": matched.now,
        }
        return Record(self._topics.executions, matched.key, encode(execution), cause=matched.record)
