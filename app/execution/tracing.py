"""What the stages say of themselves in traces: the match of an event, a step, an attempt at it, and the row.

Each names the one before as its parent, as the slip hands it on. Names and attributes follow OpenTelemetry's semantic
conventions for messaging; Headrace's own begin with ``headrace.``. No attribute holds what an event or a template says.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from app.domain.errors import ActionFailedError
from app.domain.trace_context import TraceContext, read_traceparent, read_tracestate
from app.metrics.tracing import IGNORED
from app.ports.tracing import Attribute, NoSpan, NoTracer, Span, Tracer
from schemas.command import Command
from schemas.incoming import Incoming, IncomingEvent
from schemas.result import ActionResult

NO_TRACING: Final = NoTracer()
NO_SPAN: Final[Span] = NoSpan()
_MOST_IDS: Final = 50
_PARENT: Final = "traceparent"
_STATE: Final = "tracestate"


def trace_of(incoming: IncomingEvent, record: Incoming) -> TraceContext | None:
    """Return the trace that an event belongs to.

    A header ``traceparent`` of its record is of whoever sent it to Kafka, and nearer than the CloudEvents extension
    (``traceparent`` in structured, ``ce_traceparent`` in binary mode), which is of where the event arose.
    """
    if record.headers:
        headers = _headers(record.headers)
        if headers:
            found = _context(headers)
            if found is not None:
                return found
    return _context(incoming.raw) if _PARENT in incoming.raw else None


def _headers(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, data in headers:
        lowered = name.lower()
        if lowered in {_PARENT, _STATE}:
            # Given twice it is not known which of them holds: it is none.
            found[lowered] = None if lowered in found else (data or b"").decode("ascii", "replace")
    return found if _PARENT in found else {}


def _context(given: Mapping[str, Any]) -> TraceContext | None:
    said, state = given[_PARENT], given.get(_STATE)
    parent = read_traceparent(said) if isinstance(said, str) else None
    if parent is None:
        IGNORED.labels(_PARENT).inc()
        return None
    kept = "" if state is None and _STATE not in given else read_tracestate(state) if isinstance(state, str) else None
    if kept is None:
        IGNORED.labels(_STATE).inc()
    return TraceContext(parent, kept or "")


def context_of(slip: Command) -> TraceContext | None:
    """Return the trace that a slip belongs to; one that is none is ignored, as a slip is not refused for it."""
    if slip.traceparent is None:
        return None
    parent = read_traceparent(slip.traceparent)
    return None if parent is None else TraceContext(parent, read_tracestate(slip.tracestate or "") or "")


def messaging(record: Incoming, group: str) -> dict[str, Attribute]:
    """Return what is said of a record that is processed."""
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": record.topic,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
        "messaging.consumer.group.name": group,
    }


class MatchTraces:
    """The matches of a part of a batch: a span for each event that workflows are planned for.

    Args:
        tracer: Records spans.
        group: The matchers' consumer group.
    """

    def __init__(self, tracer: Tracer, group: str) -> None:
        self._tracer = tracer
        self._group = group
        self._spans: list[Span] = []

    def begin(self, incoming: IncomingEvent, record: Incoming) -> Span:
        """Begin on an event; what its span's context says goes into the slips that follow.

        It begins by the clock that it ends by: what is matched is judged by one that all processes share.
        """
        parent = trace_of(incoming, record)
        if not self._tracer.on:
            return NO_SPAN if parent is None else NoSpan(parent)
        attributes = messaging(record, self._group)
        attributes["headrace.event_id"] = incoming.event.id
        attributes["headrace.event_type"] = incoming.event.type
        return self._tracer.start(f"match {record.topic}", kind="consumer", parent=parent, attributes=attributes)

    def planned(self, span: Span, executions: Sequence[Any]) -> None:
        """Say which executions followed, of very many the first: it ends with the part that holds the last."""
        if self._tracer.on:
            ids = [str(execution) for execution in executions[:_MOST_IDS]]
            span.note({"headrace.executions": len(executions), "headrace.execution_id": ids})
            self._spans.append(span)

    def end(self, error: BaseException | None = None) -> None:
        """End a part; ``error`` is what it fails with, if it does."""
        for span in self._spans:
            if error is not None:
                span.fail(type(error).__name__, type(error).__name__)
            span.end()
        self._spans.clear()


class StepTraces:
    """The steps of one action type, and the attempts at them.

    Args:
        tracer: Records spans.
        action_type: The action type.
        group: The executors' consumer group.
    """

    def __init__(self, tracer: Tracer, action_type: str, group: str) -> None:
        self._tracer = tracer
        self._type = action_type
        self._group = group

    def step(self, record: Incoming, command: Command) -> Span:
        """Begin on a step; the slip names it as the parent of what follows."""
        if not self._tracer.on:
            return NO_SPAN
        attributes = messaging(record, self._group) | _of_command(command)
        span = self._tracer.start(
            f"step {self._type}", kind="consumer", parent=context_of(command), attributes=attributes
        )
        if span.context is not None:
            command.traceparent, command.tracestate = span.context.traceparent, span.context.tracestate or None
        return span

    def attempt(self, command: Command, number: int, destination: str) -> Span:
        """Begin an attempt; ``destination`` is where it goes, without secrets."""
        on = self._tracer.on
        if not on and command.traceparent is None:
            return NO_SPAN
        parent = context_of(command)
        if not on:
            return NoSpan(parent)
        attributes = _of_command(command) | {"headrace.attempt": number, "headrace.destination": destination}
        return self._tracer.start(f"attempt {self._type}", kind="client", parent=parent, attributes=attributes)


UNTRACED: Final = StepTraces(NO_TRACING, "", "")


def _of_command(command: Command) -> dict[str, Attribute]:
    return {
        "headrace.execution_id": str(command.execution_id),
        "headrace.workflow_id": str(command.workflow.id),
        "headrace.command_id": str(command.id),
        "headrace.step": command.step,
        "headrace.execution_attempt": command.attempt,
        "headrace.parked": command.parked,
        "headrace.action_type": command.action.type,
    }


def note_result(span: Span, result: ActionResult) -> None:
    """Say what a step came to."""
    if span is NO_SPAN:
        return
    noted: dict[str, Attribute] = {"headrace.status": result.status, "headrace.attempts": result.attempts}
    span.note(noted | {"headrace.uncertain": result.uncertain})
    if result.status == "failed":
        error = result.error or ""
        span.fail(without_answer(error) if result.attempts else error, "step_failed")


def end_attempt(span: Span, failed: ActionFailedError | None) -> None:
    """End an attempt, and say how it failed, if it did."""
    if failed is not None:
        span.fail(without_answer(str(failed)), failed.verdict)
    span.end()


def without_answer(error: str) -> str:
    """Return an attempt's error without what the destination answered, which may hold anything."""
    return error.partition(": ")[0]


class RowTraces:
    """The rows of executions.

    Args:
        tracer: Records spans.
        group: The sinks' consumer group.
    """

    def __init__(self, tracer: Tracer, group: str) -> None:
        self._tracer = tracer
        self._group = group

    def begin(self, records: Sequence[Incoming]) -> list[Span]:
        """Begin on executions; nothing where nothing is recorded."""
        return [self._row(record) for record in records] if self._tracer.on else []

    def _row(self, record: Incoming) -> Span:
        attributes, parent = messaging(record, self._group), None
        try:
            told = orjson.loads(record.value or b"")
            parent = _context(told) if isinstance(told.get(_PARENT), str) else None
            attributes |= {
                "headrace.execution_id": str(told["execution_id"]),
                "headrace.workflow_id": str(told["workflow_id"]),
                "headrace.status": str(told["status"]),
            }
        except (orjson.JSONDecodeError, AttributeError, KeyError):
            pass  # it is no execution, and will be a dead letter
        return self._tracer.start("row executions", kind="consumer", parent=parent, attributes=attributes)


UNTRACED_ROWS: Final = RowTraces(NO_TRACING, "")


def end_rows(spans: Sequence[Span], failures: Mapping[int, str]) -> None:
    """End what was begun on; ``failures`` says by position which made no row, and why."""
    for at, span in enumerate(spans):
        if at in failures:
            span.fail(failures[at], "refused")
        span.end()
