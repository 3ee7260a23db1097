"""What became of an event, for each workflow: what the log says, else what the matchers' own rule says.

A row of the log is the truth. Where there is none the event is judged again by :mod:`app.domain.evaluate`, with the
revision of the workflow that was in force when the event was matched, and as of then, as far as that can be told
(:mod:`app.services.operations.event_moments`). Where it cannot, what the workflow as it is now makes of it is said too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import PoisonError
from app.domain.evaluate import evaluate
from app.domain.ids import execution_id
from app.domain.record_times import check_record_time
from app.domain.times import from_seconds
from app.ports.event_topics import TopicPlace
from app.ports.event_verdicts import InForce, KnownWorkflow, Letter, LoggedRun, Moment, Traces, TraceStore, Wanted
from app.services.access.cpu_budget import breathe
from app.services.delivery.letter_subjects import about
from app.services.ingest.admission import Admission, trigger_of
from app.services.operations.event_moments import Reading, reading_of
from app.services.operations.event_report import EventReport, Fate, WorkflowVerdict
from app.services.operations.past_workflows import PastWorkflows
from app.services.operations.verdict_words import Asked, Then, judged, logged
from app.services.workflows.index import CompiledWorkflow
from schemas.incoming import Incoming, IncomingEvent, decode_event

MOST_WORKFLOWS: Final = 200
_MOST_PAIRS: Final = 2_000
# A producer's clock may be ahead of the matchers': rows are looked for from so much before.
_CLOCKS: Final = timedelta(hours=1)
_UNDATED: Final = timedelta(days=30)
_SHOWN_BYTES: Final = 64 * 1024
# Other letters of the record are of services that listen.
_READER: Final = "matcher"


@dataclass(frozen=True, slots=True)
class Examined:
    """A record as a matcher reads it today: an event, or why it is none that may be there. An older one may have.

    Attributes:
        newest_before: The newest time of the records before it in its partition, as far as they were read.
    """

    record: Incoming
    incoming: IncomingEvent | None
    poison: PoisonError | None
    newest_before: float | None = None

    @property
    def place(self) -> TopicPlace:
        """Its partition."""
        return TopicPlace(self.record.topic, self.record.partition)


class _Pair(NamedTuple):
    """An event and a workflow that has no row of it."""

    event: Examined
    workflow: KnownWorkflow
    reading: Reading

    @property
    def then(self) -> Moment:
        return Moment(self.workflow.id, self.reading.at)

    @property
    def now(self) -> Moment:
        return Moment(self.workflow.id, self.reading.now)

    @property
    def moments(self) -> set[Moment]:
        """When what the workflow was counts: now too, where the event may have been read at any time since."""
        return {self.then} if self.reading.told else {self.then, self.now}


def examined(record: Incoming, admission: Admission, now: datetime) -> Examined:
    """Read a record by the rules of the matchers."""
    incoming: IncomingEvent | None = None
    poison: PoisonError | None = None
    try:
        if record.timestamp is not None:
            check_record_time(record.timestamp, now.timestamp())
    except PoisonError as error:
        poison = error
    try:
        incoming = decode_event(record)
        admission.check(incoming.event, record.topic)
    except PoisonError as error:
        poison = poison or error
    return Examined(record, incoming, poison)


class EventVerdicts:
    """Says what became of events.

    Args:
        store: Where their traces are.
        max_age: Seconds after which matchers pass an event over.
        clock: The time.
    """

    def __init__(self, store: TraceStore, max_age: float, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._max_age = max_age
        self._clock = clock
        self._past = PastWorkflows(store)

    async def of(
        self, caller: Caller, events: Sequence[Examined], matched: Mapping[TopicPlace, int]
    ) -> Sequence[EventReport]:
        """Report on events, in their order; of runs by hand of others' workflows a user is told nothing.

        Args:
            caller: Who may see events; of workflows they are told what they may see.
            events: At most some hundred.
            matched: Up to which offset matchers have finished each partition.
        """
        if not events:
            return []
        most = max(1, min(MOST_WORKFLOWS, _MOST_PAIRS // len(events)))
        traces = await self._store.traces(caller, _wanted(events, self._clock()), most)
        known = {workflow.id for workflow in traces.workflows}
        seen = [one for one in events if caller.role == "admin" or _only(one) is None or _only(one) in known]
        ids = {one.incoming.event.id for one in seen if one.incoming}
        letters = await self._store.letters(ids, [(one.place, one.record.offset) for one in seen])
        made = await self._made(caller, seen, traces, letters, matched)
        return [_report(one, made[index], letters, matched, traces.left_out) for index, one in enumerate(seen)]

    async def _made(
        self,
        caller: Caller,
        events: Sequence[Examined],
        traces: Traces,
        letters: Sequence[Letter],
        matched: Mapping[TopicPlace, int],
    ) -> list[list[WorkflowVerdict]]:
        runs = {run.id: run for run in traces.runs}
        made: list[list[WorkflowVerdict]] = [[] for _ in events]
        pairs: list[tuple[int, _Pair]] = []
        now = self._clock()
        for index, one in enumerate(events):
            if one.incoming is None:
                continue
            reading = _reading(one, runs, traces.workflows, now)
            for workflow in traces.workflows:
                run = runs.get(_execution(one.incoming, workflow.id))
                if run is not None:
                    made[index].append(logged(workflow, run))
                elif one.poison is None and _concerned(one, workflow, reading.at):
                    pairs.append((index, _Pair(one, workflow, reading)))
        for index, verdict in await self._judged(caller, pairs, letters, matched):
            made[index].append(verdict)
        return made

    async def _judged(
        self,
        caller: Caller,
        pairs: Sequence[tuple[int, _Pair]],
        letters: Sequence[Letter],
        matched: Mapping[TopicPlace, int],
    ) -> Sequence[tuple[int, WorkflowVerdict]]:
        if not pairs:
            return []
        executions = [_execution(_read(pair.event), pair.workflow.id) for _, pair in pairs]
        waiting = await self._store.waiting(caller, executions)
        force = await self._store.in_force(caller, list({moment for _, pair in pairs for moment in pair.moments}))
        versions = {(moment.workflow_id, then.version) for moment, then in force.items() if then.version is not None}
        past = await self._past.of(caller, versions)
        dead = {letter.execution_id: letter for letter in letters if letter.execution_id is not None}
        found: list[tuple[int, WorkflowVerdict]] = []
        for (index, pair), execution in zip(pairs, executions, strict=True):
            then = Then(
                asked=_asked(pair, force[pair.then], past),
                asked_now=_asked(pair, force[pair.now], past) if pair.now in pair.moments else None,
                event_type=_read(pair.event).event.type,
                execution_id=execution,
                not_yet=not _is_matched(pair.event, matched),
                waiting=waiting.get(execution),
                letter=dead.get(execution),
                reading=pair.reading,
                max_age=self._max_age,
            )
            found.append((index, judged(pair.workflow, then)))
            await breathe()
        return found


def _wanted(events: Sequence[Examined], now: datetime) -> Wanted:
    read = [one.incoming.event for one in events if one.incoming is not None]
    stamps = [one.record.timestamp for one in events]
    times = [at for at in map(from_seconds, stamps) if at is not None and now - _UNDATED <= at <= now]
    since = min(times, default=now) - _CLOCKS if None not in stamps else now - _UNDATED
    only = frozenset(event.workflowid for event in read if event.workflowid is not None)
    return Wanted({event.type for event in read}, {(event.source, event.id) for event in read}, only, since)


def _read(event: Examined) -> IncomingEvent:
    assert event.incoming is not None, "only what is an event is judged"
    return event.incoming


def _only(event: Examined) -> UUID | None:
    return event.incoming.event.workflowid if event.incoming is not None else None


def _execution(incoming: IncomingEvent, workflow_id: UUID) -> UUID:
    return execution_id(workflow_id, incoming.event.source, incoming.event.id)


def _concerned(event: Examined, workflow: KnownWorkflow, at: datetime) -> bool:
    """Tell whether the event says anything about a workflow without a row of it; one deleted before has no say."""
    if workflow.trigger_type != _read(event).event.type or (
        workflow.deleted_at is not None and workflow.deleted_at < at
    ):
        return False
    return _only(event) in {None, workflow.id}


def _reading(
    event: Examined, runs: Mapping[UUID, LoggedRun], workflows: Sequence[KnownWorkflow], now: datetime
) -> Reading:
    of_event = (runs.get(_execution(_read(event), workflow.id)) for workflow in workflows)
    rows = [run.executed_at for run in of_event if run is not None]
    return reading_of(event.record.timestamp, event.newest_before, rows, now)


def _is_matched(event: Examined, matched: Mapping[TopicPlace, int]) -> bool:
    return event.record.offset < matched.get(event.place, 0)


def _asked(pair: _Pair, in_force: InForce, past: Mapping[tuple[UUID, int], CompiledWorkflow | None]) -> Asked:
    revision = past.get((pair.workflow.id, in_force.version)) if in_force.version is not None else None
    incoming = _read(pair.event)
    if revision is None or in_force.trigger_type != incoming.event.type:
        return Asked(in_force, None)
    (made,) = evaluate(trigger_of(incoming), [revision], now=pair.reading.at)
    return Asked(in_force, made)


def _fate(one: Examined, letter: Letter | None, *, is_matched: bool, has_run: bool) -> Fate:
    """Say what the matchers made of a record: what is stored of it counts more than what today's rule says."""
    if letter is not None:
        return "dead_lettered"
    if one.poison is not None and has_run:
        return "read"
    if not is_matched:
        return "not_matched_yet"
    return "read" if one.poison is None else "refused"


def _report(
    one: Examined,
    made: list[WorkflowVerdict],
    letters: Sequence[Letter],
    matched: Mapping[TopicPlace, int],
    left_out: int,
) -> EventReport:
    record = one.record
    letter = next((x for x in letters if x.role == _READER and (x.place, x.offset) == (one.place, record.offset)), None)
    fate = _fate(one, letter, is_matched=_is_matched(one, matched), has_run=bool(made))
    said = about(record)
    event = one.incoming.event if one.incoming else None
    size = len(record.value or b"")
    return EventReport(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        received_at=from_seconds(record.timestamp),
        id=event.id if event else said.event_id,
        source=event.source if event else said.source,
        type=event.type if event else None,
        entity=one.incoming.entity if one.incoming else said.entity,
        size=size,
        event=one.incoming.raw if one.incoming and size <= _SHOWN_BYTES else None,
        fate=fate,
        reason=one.poison.reason if one.poison else letter and letter.reason,
        detail=one.poison.detail if one.poison else letter and letter.detail,
        dead_letter=letter and letter.number,
        workflows=made,
        workflows_left_out=left_out if one.incoming and not one.poison else 0,
    )
