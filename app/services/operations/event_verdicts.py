"""What became of an event, for each workflow: what the log says, else what the matchers' own rule says.

A row of the log is the truth. Where there is none the event is judged again by :mod:`app.domain.evaluate`, with the
revision of the workflow that was in force when the event was matched, and as of then. That is the moment that another
row of the event names, or else when it came into Kafka: matchers are seldom more than a second behind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import PoisonError
from app.domain.evaluate import Plan, TurnedAway, evaluate
from app.domain.ids import execution_id
from app.domain.record_times import check_record_time
from app.domain.times import from_seconds
from app.ports.event_topics import TopicPlace
from app.ports.event_verdicts import KnownWorkflow, Letter, LoggedRun, Moment, Traces, TraceStore, Wanted
from app.services.access.cpu_budget import breathe
from app.services.delivery.letter_subjects import about
from app.services.ingest.admission import Admission, trigger_of
from app.services.operations.event_report import EventReport, Fate, WorkflowVerdict
from app.services.operations.past_workflows import PastWorkflows
from app.services.operations.verdict_words import Then, judged, logged
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
    """A record as a matcher reads it today: an event, or why it is none that may be there. An older one may have."""

    record: Incoming
    incoming: IncomingEvent | None
    poison: PoisonError | None

    @property
    def place(self) -> TopicPlace:
        """Its partition."""
        return TopicPlace(self.record.topic, self.record.partition)


class _Pair(NamedTuple):
    """An event and a workflow that has no row of it."""

    event: Examined
    workflow: KnownWorkflow
    moment: Moment


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
        for index, one in enumerate(events):
            if one.incoming is None:
                continue
            at = _matched_at(one, runs, traces.workflows)
            for workflow in traces.workflows:
                run = runs.get(_execution(one.incoming, workflow.id))
                if run is not None:
                    made[index].append(logged(workflow, run))
                elif one.poison is None and _concerned(one, workflow, at):
                    pairs.append((index, _Pair(one, workflow, Moment(workflow.id, at))))
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
        force = await self._store.in_force(caller, list({pair.moment for _, pair in pairs}))
        versions = {(moment.workflow_id, then.version) for moment, then in force.items() if then.version is not None}
        past = await self._past.of(caller, versions)
        dead = {letter.execution_id: letter for letter in letters if letter.execution_id is not None}
        found: list[tuple[int, WorkflowVerdict]] = []
        for (index, pair), execution in zip(pairs, executions, strict=True):
            in_force = force[pair.moment]
            revision = past.get((pair.workflow.id, in_force.version)) if in_force.version is not None else None
            then = Then(
                in_force=in_force,
                execution_id=execution,
                not_yet=not _is_matched(pair.event, matched),
                waiting=waiting.get(execution),
                letter=dead.get(execution),
                age=_age(pair.event, self._clock()),
                max_age=self._max_age,
                only=_only(pair.event),
            )
            made = _evaluated(pair, revision, in_force.trigger_type) if revision is not None else None
            found.append((index, judged(pair.workflow, _read(pair.event).event.type, then, made)))
            await breathe()
        return found


def _wanted(events: Sequence[Examined], now: datetime) -> Wanted:
    read = [one.incoming.event for one in events if one.incoming is not None]
    stamps = [one.record.timestamp for one in events]
    times = [at for at in map(from_seconds, stamps) if at is not None and now - _UNDATED <= at <= now]
    since = min(times, default=now) - _CLOCKS if None not in stamps else now - _UNDATED
    only = frozenset(event.workflowid for event in read if event.workflowid is not None)
    return Wanted({event.type for event in read}, {event.id for event in read}, only, since)


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


def _matched_at(event: Examined, runs: Mapping[UUID, LoggedRun], workflows: Sequence[KnownWorkflow]) -> datetime:
    """Return when it was matched: all workflows are matched at once, so any row tells."""
    of_event = (runs.get(_execution(_read(event), workflow.id)) for workflow in workflows)
    times = [run.executed_at for run in of_event if run is not None]
    if times:
        return min(times)
    return from_seconds(event.record.timestamp) or datetime.now(UTC)


def _is_matched(event: Examined, matched: Mapping[TopicPlace, int]) -> bool:
    return event.record.offset < matched.get(event.place, 0)


def _age(event: Examined, now: datetime) -> float | None:
    return None if event.record.timestamp is None else now.timestamp() - event.record.timestamp


def _evaluated(
    pair: _Pair, revision: CompiledWorkflow, trigger_type: str | None
) -> Plan[CompiledWorkflow] | TurnedAway[CompiledWorkflow] | None:
    if trigger_type != _read(pair.event).event.type:
        return None
    (made,) = evaluate(trigger_of(_read(pair.event)), [revision], now=pair.moment.at)
    return made


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
