"""Implements :class:`app.ports.tracing.Tracer` with OpenTelemetry's SDK, which is imported where tracing is on only."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan

from app.domain.trace_context import TraceContext
from app.ports import tracing as port

MAX_ERROR_CHARS: Final = 500
_KINDS: Final = {"consumer": SpanKind.CONSUMER, "client": SpanKind.CLIENT}


class OtelSpan:
    """A span of the SDK."""

    def __init__(self, span: SdkSpan) -> None:
        self._span = span

    @property
    def context(self) -> TraceContext | None:
        """What goes along with what follows from it; None where the SDK is switched off."""
        found = self._span.get_span_context()
        if not found.is_valid:
            return None
        parent = f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"
        return TraceContext(parent, found.trace_state.to_header())

    def note(self, attributes: Mapping[str, port.Attribute]) -> None:
        """Say more of it."""
        self._span.set_attributes(dict(attributes))

    def fail(self, error: str, kind: str) -> None:
        """Say that it failed."""
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR, error[:MAX_ERROR_CHARS]))

    def end(self) -> None:
        """End it."""
        self._span.end()


class OtelTracer:
    """Records spans of one process.

    Args:
        service: What the process is, unless ``OTEL_SERVICE_NAME`` or ``OTEL_RESOURCE_ATTRIBUTES`` says it.
        instance: Which of its kind.
        processor: Takes the spans that have ended.
    """

    on = True

    def __init__(self, service: str, instance: str, processor: SpanProcessor) -> None:
        ours = {
            "service.name": service,
            "service.namespace": "headrace",
            "service.instance.id": instance,
            "service.version": version("headrace"),
        }
        told = OTELResourceDetector().detect().attributes
        resource = Resource.create({name: value for name, value in ours.items() if name not in told})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("headrace", version("headrace"))

    def start(
        self,
        name: str,
        *,
        kind: port.SpanKind,
        parent: TraceContext | None,
        attributes: Mapping[str, port.Attribute],
    ) -> OtelSpan:
        """Begin a span."""
        made = self._tracer.start_span(
            name,
            context=Context() if parent is None else _remote(parent),
            kind=_KINDS[kind],
            attributes=dict(attributes),
        )
        return OtelSpan(made)

    def close(self) -> None:
        """Send what is left, for a few seconds at most; blocks meanwhile."""
        self._provider.shutdown()


def _remote(parent: TraceContext) -> Context:
    _, trace, span, flags = parent.traceparent.split("-")
    context = SpanContext(
        trace_id=int(trace, 16),
        span_id=int(span, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16)),
        trace_state=TraceState.from_header([parent.tracestate]),
    )
    return set_span_in_context(NonRecordingSpan(context), Context())
