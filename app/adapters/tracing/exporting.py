"""Sends spans to a collector, in a thread of its own; what is lost is counted, and an outage is said once.

The queue and the requests are the SDK's, with its settings (``OTEL_BSP_*``, ``OTEL_EXPORTER_OTLP_*``). It bounds both:
a collector that is slow or away costs the spans that the queue does not hold, and nobody waits for it.
"""

import logging
from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from app.metrics.tracing import DROPPED, SPANS

log = logging.getLogger(__name__)

CLOSE_WITHIN_S: Final = 3.0
_QUEUE_FULL: Final = DROPPED.labels("queue_full")
_NOT_TAKEN: Final = DROPPED.labels("not_taken")


class CountingExporter(SpanExporter):
    """Counts what the collector takes and does not take, and says an outage and its end once each.

    Args:
        exporter: Sends spans.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; what is not taken is lost."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            SPANS.inc(len(spans))
            if self._lost:
                log.warning("traces: the collector takes spans again; %d were lost", self._lost)
            self._lost = 0
            return result
        _NOT_TAKEN.inc(len(spans))
        if not self._lost:
            log.warning("traces: the collector does not take spans; they are lost until it does, and nothing else is")
        self._lost += len(spans)
        return result

    def shutdown(self) -> None:
        """End what is under way."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held here."""
        return self._exporter.force_flush(timeout_millis)


class BoundedProcessor(BatchSpanProcessor):
    """The SDK's queue; what it does not hold is counted instead of logged, span by span."""

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that has ended."""
        queue = self._batch_processor
        if len(queue._queue) >= queue._max_queue_size:  # noqa: SLF001 - the SDK counts it for its own metrics only
            _QUEUE_FULL.inc()
            return
        super().on_end(span)

    def shutdown(self) -> None:
        """Send what is left, for so long as that may take."""
        self._batch_processor.shutdown(timeout_millis=int(CLOSE_WITHIN_S * 1000))


def to_collector() -> BoundedProcessor:
    """Return what sends spans to the collector that the environment names."""
    # It would log every request that fails; what an operator needs of it is said above.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    return BoundedProcessor(CountingExporter(OTLPSpanExporter()))
