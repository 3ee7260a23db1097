"""One event's trace through real Kafka and Postgres, by every role as a process, into a collector and a receiver."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.domain.ids import execution_id
from app.embedded.webhook_receiver import WebhookReceiver
from tests.domain.test_trace_context import PARENT, SPAN, TRACE
from tests.integration.site import event
from tests.support.broker import remove_topics
from tests.support.otlp_collector import Collected, Collector, collector
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

ROLES = ("scheduler", "matcher", "executor-crm", "executor-system", "sink", "admin")


@pytest.fixture
def collected() -> Any:
    """A collector."""
    with collector() as found:
        yield found


@pytest.fixture
async def stack(kafka: str, database: str, tmp_path: Path, collected: Collector) -> AsyncIterator[Stack]:
    """What it takes for a webhook and a tag, traced."""
    prefix = f"t{uuid4().hex[:10]}."
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collected.port}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "ACTION_RETRY_INITIAL_DELAY": "100",
    }
    roles = dict.fromkeys(ROLES, 1)
    async with Stack(kafka, database, prefix, tmp_path, roles=roles, environment=environment) as stack:
        yield stack
    await remove_topics(kafka, prefix)


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """Takes webhooks; the first is answered 503."""
    receiver = WebhookReceiver()
    receiver.behaviour.first = [503]
    await receiver.start()
    yield receiver
    await receiver.stop()


async def logged(database: str, execution: Any) -> bool:
    """Whether an execution is a row."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        found = await connection.execute("SELECT status FROM automation_logs WHERE id = %s", (execution,))
        return bool(await found.fetchone())


async def test_an_events_trace_leads_through_every_stage(
    stack: Stack, collected: Collector, receiver: WebhookReceiver
) -> None:
    """The span that sent it, its match, a step and its two attempts, the receiver, the next step, the row.

    While the collector is away executions end as ever.
    """
    kind = f"custom.t{uuid4().hex[:12]}"
    actions = [
        {"type": "webhook", "order": 1, "config": {"url": f"{receiver.url}/traced"}},
        {"type": "apply_tag", "order": 2, "config": {"tag": "traced"}},
    ]
    workflow = await stack.api.create_workflow({"name": kind, "trigger": {"type": kind}, "actions": actions})
    await stack.settled()
    sent = event(kind) | {"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE"}
    await stack.emitter.emit(sent)
    execution = execution_id(workflow, sent["source"], sent["id"])

    def trace() -> list[Collected]:
        return sorted((span for span in collected.spans if span.trace_id == TRACE), key=lambda span: span.began)

    await eventually(lambda: len(trace()) == 6, within=60, what="six spans")
    found = trace()
    match, step, first, second, tag, row = found
    assert not collected.refused
    assert [span.service for span in found] == [
        "headrace-matcher",
        *["headrace-executor-system"] * 3,
        "headrace-executor-crm",
        "headrace-sink",
    ]
    names = ["step webhook", "attempt webhook", "attempt webhook", "step apply_tag", "row executions"]
    assert [span.name for span in found] == [f"match {stack.topics.events(kind)}", *names]
    parents = [SPAN, match.span_id, step.span_id, step.span_id, step.span_id, tag.span_id]
    assert [span.parent_id for span in found] == parents
    assert {span.state for span in found} == {"congo=t61rcWkgMzE"}
    assert [one.traceparent for one in receiver.deliveries] == [
        f"00-{TRACE}-{span.span_id}-01" for span in (first, second)
    ]
    assert (first.failed, first.message, second.failed) == (True, "answered 503", False)
    assert match.attributes["headrace.execution_id"] == [str(execution)]
    assert {span.attributes["headrace.execution_id"] for span in (step, first, tag, row)} == {str(execution)}
    assert row.attributes["messaging.destination.name"] == stack.topics.executions

    collected.status = 503
    later = event(kind)
    await stack.emitter.emit(later)
    other = execution_id(workflow, later["source"], later["id"])
    await eventually(partial(logged, stack.database_url, other), within=30, what="a row while the collector is away")
