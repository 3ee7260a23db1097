"""The tracer's contract, on the fake and on OpenTelemetry's SDK."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from app.adapters.tracing.otel import OtelTracer
from app.domain.trace_context import TraceContext
from app.ports.tracing import Tracer
from tests.domain.test_trace_context import PARENT, SPAN, TRACE
from tests.support.tracer import MemoryTracer


@dataclass
class Seen:
    """A span as it was recorded."""

    name: str
    parent_id: str | None
    attributes: dict[str, Any]
    error: str | None
    seconds: float


@dataclass
class Traced:
    """A tracer, and what it has recorded."""

    tracer: Tracer
    seen: Callable[[], list[Seen]]


def _of_memory() -> Traced:
    tracer = MemoryTracer()
    return Traced(
        tracer,
        lambda: [
            Seen(one.name, one.parent_id, one.attributes, one.error, (one.ended_at or 0.0) - one.began_at)
            for one in tracer.spans
            if one.ended_at is not None
        ],
    )


def _of_the_sdk() -> Traced:
    exporter = InMemorySpanExporter()
    tracer = OtelTracer("headrace-test", "1", SimpleSpanProcessor(exporter))

    def seen() -> list[Seen]:
        return [
            Seen(
                one.name,
                None if one.parent is None else f"{one.parent.span_id:016x}",
                dict(one.attributes or {}),
                one.status.description if one.status.status_code is StatusCode.ERROR else None,
                ((one.end_time or 0) - (one.start_time or 0)) / 1e9,
            )
            for one in exporter.get_finished_spans()
        ]

    return Traced(tracer, seen)


@pytest.fixture(params=[_of_memory, _of_the_sdk], ids=["memory", "opentelemetry"])
def traced(request: pytest.FixtureRequest) -> Traced:
    """One of them."""
    made: Traced = request.param()
    return made


def test_a_span_without_a_parent_begins_a_trace(traced: Traced) -> None:
    """Its own ids, sampled; a second one is another trace."""
    contexts = [traced.tracer.start("match", kind="consumer", parent=None, attributes={}).context for _ in range(2)]
    parts = [context.traceparent.split("-") for context in contexts if context is not None]
    assert len(parts) == 2
    assert parts[0][1] != parts[1][1]
    assert all(int(part[3], 16) & 1 for part in parts)


def test_a_child_is_of_its_parents_trace_and_hands_its_state_on(traced: Traced) -> None:
    """And it is the parent of what follows from it."""
    child = traced.tracer.start("step", kind="consumer", parent=TraceContext(PARENT, "a=1"), attributes={"x": 1})
    assert child.context is not None
    assert (child.context.traceparent.split("-")[1], child.context.tracestate) == (TRACE, "a=1")
    child.end()
    (seen,) = traced.seen()
    assert (seen.name, seen.parent_id, seen.attributes["x"], seen.error) == ("step", SPAN, 1, None)


def test_what_is_not_sampled_is_not_recorded_and_hands_on_that_it_is_not(traced: Traced) -> None:
    """The decision is its beginning's."""
    parent = TraceContext(f"{PARENT[:-2]}00")
    child = traced.tracer.start("step", kind="consumer", parent=parent, attributes={})
    assert child.context is not None
    assert child.context.traceparent.split("-")[1::2] == [TRACE, "00"]
    child.end()
    assert not traced.seen()


def test_a_failure_is_recorded_with_its_kind(traced: Traced) -> None:
    """With what is known later."""
    span = traced.tracer.start("row", kind="client", parent=None, attributes={})
    span.note({"status": "failed", "ids": ["a", "b"]})
    span.fail("answered 503", "fails")
    span.end()
    span.note({"status": "late"})
    (seen,) = traced.seen()
    assert (seen.error, seen.attributes["error.type"]) == ("answered 503", "fails")
    assert (seen.attributes["status"], list(seen.attributes["ids"])) == ("failed", ["a", "b"])
    assert 0 <= seen.seconds < 60
