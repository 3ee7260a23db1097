"""Traces through the stages: one span each, parents right, and the trace of an event handed on also without tracing."""

from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from app.actions.apply_tag import ApplyTag
from app.actions.webhook import Webhook
from app.domain.trace_context import TraceContext
from app.execution.log_writing import Sink
from app.execution.tracing import RowTraces, StepTraces
from app.ports import HttpAnswer
from app.ports.execution_log import Refused
from app.services.delivery.dead_letters import DeadLetters
from app.topics import Topics
from schemas.command import Command
from schemas.execution import Execution
from tests.domain.test_trace_context import PARENT, SPAN, TRACE
from tests.execution.test_leased import HOOK
from tests.execution.test_leased import World as Outside
from tests.execution.test_log_writing import NOW, FakeLog
from tests.execution.test_matching import World as Matching
from tests.execution.test_transactional import World as Inside
from tests.support.receipts import ReceiptStore
from tests.support.records import FakeRecord, cloud_event, event_record
from tests.support.sender import MemorySender
from tests.support.slips import action, command
from tests.support.tracer import MemoryTracer

STATE = "congo=t61rcWkgMzE"
OTHER = f"00-{'a' * 32}-{'b' * 16}-01"


def binary(*headers: tuple[str, bytes], **attributes: str) -> FakeRecord:
    """An event in binary mode with these headers and attributes."""
    event = cloud_event(**attributes)
    own = [(f"ce_{name}", str(value).encode()) for name, value in event.items() if name != "data"]
    return FakeRecord(orjson.dumps(event["data"]), headers=[*own, *headers])


def header(value: str, name: str = "traceparent") -> tuple[str, bytes]:
    """A header of a record."""
    return name, value.encode()


async def slips(*records: FakeRecord, tracer: MemoryTracer | None = None) -> list[Command]:
    """Match events that each start one workflow; returns its commands."""
    world = Matching(tracer=tracer)
    world.workflow(1)
    await world.process(list(records))
    return [Command.model_validate_json(record.value or b"") for record in world.sender.on("t.actions.apply_tag")]


def ignored(what: str) -> float:
    """How many have been ignored."""
    return REGISTRY.get_sample_value("headrace_trace_contexts_ignored_total", {"what": what}) or 0.0


@pytest.mark.parametrize(
    "record",
    [
        event_record(traceparent=PARENT, tracestate=STATE),
        binary(traceparent=PARENT, tracestate=STATE),
        binary(header(PARENT), header(STATE, "tracestate")),
        binary(header(PARENT, "Traceparent"), header(STATE, "TraceState"), traceparent=OTHER),
        binary(header("nonsense"), traceparent=PARENT, tracestate=STATE),
    ],
    ids=["structured", "binary", "header", "header before extension", "extension where the header is none"],
)
async def test_the_trace_of_an_event_goes_along_without_tracing(record: FakeRecord) -> None:
    """As it is: the header of the record, or else the CloudEvents extension, in both content modes."""
    (slip,) = await slips(record)
    assert (slip.traceparent, slip.tracestate) == (PARENT, STATE)


@pytest.mark.parametrize(
    ("record", "what", "kept"),
    [
        (event_record(traceparent="00-x"), "traceparent", None),
        (event_record(traceparent=5), "traceparent", None),
        (binary(header(PARENT), header(OTHER)), "traceparent", None),
        (binary(("traceparent", b"\xff\xfe")), "traceparent", None),
        (event_record(traceparent=PARENT, tracestate="A=" * 400), "tracestate", PARENT),
    ],
    ids=["no traceparent", "a number", "given twice", "no text", "no tracestate"],
)
async def test_what_is_no_trace_is_ignored_and_counted(record: FakeRecord, what: str, kept: str | None) -> None:
    """The event runs all the same."""
    before = ignored(what)
    (slip,) = await slips(record)
    assert (slip.traceparent, slip.tracestate, ignored(what)) == (kept, None, before + 1)


async def test_an_event_without_a_trace_begins_none_without_tracing() -> None:
    """And its slip has not a byte more."""
    world = Matching()
    world.workflow(1)
    await world.process([event_record()])
    (sent,) = world.sender.on("t.actions.apply_tag")
    assert b"trace" not in (sent.value or b"")


async def test_a_match_is_a_span_for_each_event() -> None:
    """A child of what sent the event, or the first of a new trace; it names the executions, and the record."""
    tracer = MemoryTracer()
    first, second = await slips(
        event_record(traceparent=PARENT, tracestate=STATE), event_record(id="e-2"), tracer=tracer
    )
    child, root = tracer.spans
    assert (child.name, child.kind, child.parent) == ("match t.events.order", "consumer", TraceContext(PARENT, STATE))
    assert (first.traceparent, first.tracestate) == (child.context.traceparent, STATE)
    assert (root.parent, second.traceparent) == (None, root.context.traceparent)
    assert root.trace_id != TRACE
    assert child.attributes["headrace.execution_id"] == [str(first.execution_id)]
    assert child.attributes["messaging.system"] == "kafka"
    assert child.attributes["messaging.destination.name"] == "t.events.order"
    assert all(span.ended_at is not None for span in tracer.spans)


async def test_an_event_that_starts_nothing_is_no_span() -> None:
    """Most events of most types are nobody's."""
    tracer = MemoryTracer()
    assert not await slips(event_record(type="order.cancelled"), tracer=tracer)
    assert not tracer.spans


def outside(tracer: MemoryTracer) -> Outside:
    """An executor of webhooks that is traced."""
    return Outside(ReceiptStore(), traces=StepTraces(tracer, Webhook.name, "t.executor-system"))


async def test_a_step_and_each_attempt_are_spans_and_the_webhook_is_told() -> None:
    """Its receiver's parent is the attempt, the attempt's the step, the step's the match; the row's is the step."""
    tracer = MemoryTracer()
    world = outside(tracer)
    world.http.answers = [HttpAnswer(503, {}, "")]
    await world.run(command(action("webhook", **HOOK), traceparent=PARENT, tracestate=STATE))
    step, first, second = tracer.spans
    assert [span.name for span in tracer.spans] == ["step webhook", "attempt webhook", "attempt webhook"]
    assert (step.parent_id, first.parent_id, second.parent_id) == (SPAN, step.span_id, step.span_id)
    assert {span.trace_id for span in tracer.spans} == {TRACE}
    told = [request.headers["traceparent"] for request in world.http.requests]
    assert told == [first.context.traceparent, second.context.traceparent]
    assert {request.headers["tracestate"] for request in world.http.requests} == {STATE}
    assert (first.error, second.error, step.error) == ("answered 503", None, None)
    assert (step.attributes["headrace.status"], step.attributes["headrace.attempts"]) == ("success", 2)
    assert world.ended[0].traceparent == step.context.traceparent
    assert (step.kind, first.kind) == ("consumer", "client")


async def test_a_webhook_hands_on_the_events_trace_without_tracing() -> None:
    """Whoever receives it finds its way back to who sent the event."""
    world = Outside(ReceiptStore())
    await world.run(command(action("webhook", **HOOK), traceparent=PARENT, tracestate=STATE))
    await world.run(command(action("webhook", **HOOK), event=cloud_event(id="e-2")))
    first, second = world.http.requests
    assert (first.headers["traceparent"], first.headers["tracestate"]) == (PARENT, STATE)
    assert "traceparent" not in second.headers
    assert world.ended[0].traceparent == PARENT


async def test_the_users_own_traceparent_stands() -> None:
    """A header that the workflow names is the user's."""
    world = Outside(ReceiptStore())
    hook = HOOK | {"headers": {"Traceparent": OTHER}}
    await world.run(command(action("webhook", **hook), traceparent=PARENT))
    assert [value for name, value in world.http.requests[0].headers.items() if name.lower() == "traceparent"] == [OTHER]


async def test_a_failed_step_says_why_and_not_what_was_answered() -> None:
    """The error of the attempt, and of the step; an answer may hold anything, and is in the log's row alone."""
    tracer = MemoryTracer()
    world = outside(tracer)
    world.http.answers = [HttpAnswer(410, {}, "whose order was it")]
    await world.run(command(action("webhook", **HOOK)))
    step, attempt = tracer.spans
    assert (attempt.error, attempt.attributes["error.type"]) == ("answered 410", "serves")
    assert step.error == "answered 410"


async def test_a_slip_with_a_broken_trace_is_carried_out() -> None:
    """It begins a new one, as an event would."""
    tracer = MemoryTracer()
    world = outside(tracer)
    await world.run(command(action("webhook", **HOOK), traceparent="broken", tracestate="=" * 2000))
    assert tracer.spans[0].parent is None
    assert world.ended[0].status == "success"


async def test_steps_of_a_batch_are_spans_of_their_own() -> None:
    """Also of one that comes again, and of what is no command there is none."""
    tracer = MemoryTracer()
    world = Inside(traces=StepTraces(tracer, ApplyTag.name, "t.executor-crm"))
    one = command(action(tag="a"), traceparent=PARENT)
    two = command(action(tag="b"), event=cloud_event(id="e-2"))
    ended = await world.run(one, two)
    first, second = tracer.spans
    assert (first.name, first.parent_id, second.parent) == ("step apply_tag", SPAN, None)
    assert [row.traceparent for row in ended] == [first.context.traceparent, second.context.traceparent]
    assert all(span.ended_at is not None for span in tracer.spans)


def execution(**more: Any) -> bytes:
    """An execution on its way to the log."""
    made = Execution(
        execution_id=command(action()).execution_id,
        attempt=1,
        workflow_id=command(action()).workflow.id,
        version=1,
        entity="c1",
        event=cloud_event(),
        conditions_met=True,
        status="success",
        executed_at=NOW,
        **more,
    )
    return made.encode()


async def test_a_row_is_a_span_and_says_if_it_was_refused() -> None:
    """The last of the trace; what is no execution has none: it ends as a dead letter."""
    tracer, log = MemoryTracer(), FakeLog()
    letters = DeadLetters(topics=Topics("t."), sender=MemorySender(), role="sink", clock=lambda: NOW)
    sink = Sink(log, letters, RowTraces(tracer, "t.sink"))
    other = execution(traceparent=None)
    log.answers[other.decode()] = Refused("no execution")
    await sink.process([FakeRecord(execution(traceparent=PARENT)), FakeRecord(other), FakeRecord(b"[1]")])
    row, refused = tracer.spans
    assert (row.name, row.parent_id, row.error) == ("row executions", SPAN, None)
    assert row.attributes["headrace.status"] == "success"
    assert refused.error == "no execution"
    assert all(span.ended_at is not None for span in tracer.spans)
