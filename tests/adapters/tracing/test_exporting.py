"""Spans on their way to a collector: as OTLP has it, and what is lost is counted while nothing waits."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import REGISTRY

from app.adapters.tracing.exporting import CLOSE_WITHIN_S, to_collector
from app.adapters.tracing.otel import OtelTracer
from app.domain.trace_context import TraceContext
from app.embedded.free_ports import pick_ports
from tests.domain.test_trace_context import PARENT, SPAN, TRACE
from tests.support.deadlines import scaled
from tests.support.otlp_collector import Collector, collector
from tests.support.waiting import eventually

Traced = Callable[[int], OtelTracer]


@pytest.fixture
def collected() -> Iterator[Collector]:
    """A collector."""
    with collector() as found:
        yield found


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Traced:
    """Makes a tracer that sends to a port, in batches of ten every tenth of a second, from a queue of fifty."""

    def made(port: int) -> OtelTracer:
        for name, value in (
            ("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "50"),
        ):
            monkeypatch.setenv(name, value)
        return OtelTracer("headrace-sink", "sink-1", to_collector())

    return made


def count(name: str, **labels: str) -> float:
    """A counter's value."""
    return REGISTRY.get_sample_value(f"headrace_spans_{name}_total", labels) or 0.0


def spans(tracer: OtelTracer, number: int) -> None:
    """Record so many."""
    for at in range(number):
        parent = TraceContext(PARENT, "a=1")
        tracer.start("row", kind="consumer", parent=parent, attributes={"at": at}).end()


@contextmanager
def quickly(within: float) -> Iterator[None]:
    """Expect that a block takes no longer than so many seconds."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < scaled(within)


async def test_a_collector_gets_what_was_recorded(traced: Traced, collected: Collector) -> None:
    """With ids, parent, state and the process it is of; the last ones when the process ends."""
    before = count("sent")
    tracer = traced(collected.port)
    spans(tracer, 3)
    tracer.start("step", kind="client", parent=None, attributes={}).fail("answered 503", "fails")
    tracer.close()
    assert not collected.refused
    assert [span.attributes["at"] for span in collected.spans] == [0, 1, 2]
    first = collected.spans[0]
    assert (first.name, first.trace_id, first.parent_id, first.state) == ("row", TRACE, SPAN, "a=1")
    assert first.resource["service.name"] == "headrace-sink"
    assert (first.resource["service.instance.id"], first.resource["service.namespace"]) == ("sink-1", "headrace")
    assert count("sent") == before + 3


async def test_the_environment_names_the_service(
    traced: Traced, collected: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenTelemetry's own variables stand over what we would say."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-automation")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.namespace=shop")
    tracer = traced(collected.port)
    spans(tracer, 1)
    tracer.close()
    about = collected.spans[0].resource
    assert (about["service.name"], about["service.namespace"]) == ("shop-automation", "shop")
    assert about["deployment.environment.name"] == "test"
    assert about["service.instance.id"] == "sink-1"


async def test_a_sampler_of_the_environment_decides(
    traced: Traced, collected: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does not sample is not sent, and is handed on as such."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    tracer = traced(collected.port)
    span = tracer.start("match", kind="consumer", parent=None, attributes={})
    span.end()
    assert span.context is not None
    assert not int(span.context.traceparent[-2:], 16) & 1
    tracer.close()
    assert not collected.asked


async def test_a_collector_that_is_away_holds_nothing_up(traced: Traced, caplog: pytest.LogCaptureFixture) -> None:
    """Spans are lost and counted, once is said so, and the process ends within a few seconds."""
    before = count("dropped", reason="not_taken")
    tracer = traced(pick_ports(1)[0])
    with caplog.at_level(logging.WARNING):
        with quickly(1):
            spans(tracer, 20)
        await eventually(lambda: count("dropped", reason="not_taken") >= before + 10, what="spans given up")
        with quickly(CLOSE_WITHIN_S + 1):
            tracer.close()
    assert len([one for one in caplog.records if "does not take spans" in one.getMessage()]) == 1
    assert not [one for one in caplog.records if one.name.startswith("opentelemetry")]


async def test_a_collector_that_hangs_holds_nothing_up(traced: Traced, collected: Collector) -> None:
    """What the queue does not hold is dropped and counted; whoever records waits for nothing."""
    collected.held.clear()
    before = count("dropped", reason="queue_full")
    tracer = traced(collected.port)
    with quickly(2):
        spans(tracer, 500)
    assert count("dropped", reason="queue_full") - before >= 400
    with quickly(CLOSE_WITHIN_S + 1):
        tracer.close()


async def test_a_collector_that_comes_back_is_said(
    traced: Traced, collected: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    """With how many spans were lost meanwhile."""
    collected.status = 400
    tracer = traced(collected.port)
    with caplog.at_level(logging.WARNING):
        spans(tracer, 1)
        await eventually(lambda: collected.asked, what="a refusal")
        collected.status = 200
        spans(tracer, 1)
        await eventually(lambda: collected.spans, what="a span")
        tracer.close()
    said = [one.getMessage() for one in caplog.records if one.name.startswith("app.")]
    assert said == [
        "traces: the collector does not take spans; they are lost until it does, and nothing else is",
        "traces: the collector takes spans again; 1 were lost",
    ]
