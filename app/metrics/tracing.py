"""What becomes of traces: contexts that are no such thing, and spans that nobody took."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("tracing")

IGNORED: Final = FAMILIES.counter(
    "headrace_trace_contexts_ignored_total",
    "Trace contexts of events that are none, or are given twice; the event is processed without them",
    what=("traceparent", "tracestate"),
)
SPANS: Final = FAMILIES.counter("headrace_spans_sent_total", "Spans that the collector took")
DROPPED: Final = FAMILIES.counter(
    "headrace_spans_dropped_total",
    "Spans that were recorded and lost: there were more than the queue holds, or the collector did not take them",
    reason=("queue_full", "not_taken"),
)
