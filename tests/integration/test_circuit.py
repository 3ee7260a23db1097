"""A circuit breaker from end to end: real Kafka and Postgres, every role a process, all of them killed half-way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest

from app.domain.ids import execution_id
from app.embedded.webhook_receiver import WebhookReceiver
from tests.integration.site import event
from tests.support.broker import remove_topics
from tests.support.stack import Stack
from tests.support.waiting import eventually
from tests.support.worker_process import WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

EVENTS: Final = 120
OPEN_S: Final = 3.0
RATE: Final = 40


@pytest.fixture
async def stack(kafka: str, database: str, tmp_path: Path) -> AsyncIterator[Stack]:
    """One worker of each role; breakers open for three seconds, and commands are not tried again by themselves."""
    prefix = f"t{uuid4().hex[:10]}."
    environment = {
        "CIRCUIT_BREAKER_TIMEOUT": str(round(OPEN_S * 1000)),
        "HEADRACE_CIRCUIT_RELEASE_RATE": str(RATE),
        "ACTION_RETRY_MAX_ATTEMPTS": "0",
    }
    async with Stack(kafka, database, prefix, tmp_path, environment=environment) as stack:
        yield stack
    await remove_topics(kafka, prefix)


async def number(stack: Stack, query: str, *values: Any) -> int:
    """Return the one number that a query comes to."""
    async with await psycopg.AsyncConnection.connect(stack.database_url) as connection:
        row = await (await connection.execute(query.encode(), values)).fetchone()
    return int(row[0]) if row else 0


async def waiting(stack: Stack) -> int:
    """Return how many commands wait for the breaker."""
    return await number(stack, "SELECT count(*) FROM timers WHERE kind = 'circuit'")


async def not_closed(stack: Stack) -> int:
    """Return how many breakers are not closed."""
    return await number(stack, "SELECT count(*) FROM breakers WHERE NOT closed")


async def logged(stack: Stack, ids: list[UUID]) -> dict[str, int]:
    """Return the log's executions by status."""
    query = "SELECT status, count(*) FROM automation_logs WHERE id = ANY(%s) GROUP BY status"
    async with await psycopg.AsyncConnection.connect(stack.database_url) as connection:
        return {row[0]: row[1] for row in await (await connection.execute(query, (ids,))).fetchall()}


async def test_a_failing_destination_is_left_alone_and_nothing_is_lost(stack: Stack, receiver: WebhookReceiver) -> None:
    """Nothing reaches it while it is open, across kill -9 of everything; then all ends once, at the rate."""
    receiver.behaviour.status = 503
    kind = f"custom.t{uuid4().hex[:12]}"
    hook = {"type": "webhook", "order": 1, "config": {"url": f"{receiver.url}/hook"}}
    workflow = await stack.api.create_workflow({"name": kind, "trigger": {"type": kind}, "actions": [hook]})
    await stack.settled()
    events = [event(kind) for _ in range(EVENTS)]
    ids = [execution_id(workflow, one["source"], one["id"]) for one in events]

    for number_of_failures, one in enumerate(events[:5], 1):
        await stack.emitter.emit(one)
        await eventually(partial(_rows, stack, ids, number_of_failures), what="the failure's row")
    assert await logged(stack, ids) == {"failed": 5}
    assert receiver.count == 5
    await stack.emitter.emit_many(events[5:])
    await eventually(lambda: _are_waiting(stack, EVENTS - 5), within=30, what="all others to be parked")
    failed = await until_everything_is_killed(stack, receiver)

    receiver.behaviour.status = 200
    for worker in stack.workers:
        worker.start()
    await eventually(lambda: _rows(stack, ids, EVENTS), within=60, what="every execution's row")
    statuses = await logged(stack, ids)
    assert statuses == {"failed": 5 + failed, "success": EVENTS - 5 - failed}
    keys = Counter(delivery.key for delivery in receiver.deliveries)
    assert set(keys.values()) == {1}
    assert (await waiting(stack), await not_closed(stack)) == (0, 0)
    assert most_in_a_second(receiver) <= 1.5 * RATE


async def until_everything_is_killed(stack: Stack, receiver: WebhookReceiver) -> int:
    """Let a probe or more fail, kill every process while the breaker is open, and wait until it would be half open.

    Returns how many probes had failed; each opened the breaker anew, and between them nothing arrived.
    """
    await eventually(lambda: receiver.count > 5, within=30, what="the first probes")
    await eventually(lambda: _is_open(stack), what="the breaker to open again")
    for worker in stack.workers:
        worker.kill()
    await asyncio.gather(*(eventually(partial(_has_ended, worker), what="its end") for worker in stack.workers))
    before = receiver.count
    assert before - 5 <= 3
    await eventually(lambda: _is_past(stack), what="the end of the open time")
    assert receiver.count == before
    return before - 5


def _has_ended(worker: WorkerProcess) -> bool:
    return worker.pid is None


async def _rows(stack: Stack, ids: list[UUID], count: int) -> bool:
    return sum((await logged(stack, ids)).values()) == count


async def _are_waiting(stack: Stack, count: int) -> bool:
    return await waiting(stack) == count


async def _is_open(stack: Stack) -> bool:
    return await number(stack, "SELECT count(*) FROM breakers WHERE NOT closed AND until > now()") == 1


async def _is_past(stack: Stack) -> bool:
    return await number(stack, "SELECT count(*) FROM breakers WHERE NOT closed AND until < now()") == 1


def most_in_a_second(receiver: WebhookReceiver) -> int:
    """Return the most deliveries within any second."""
    times = sorted(delivery.received_at for delivery in receiver.deliveries)
    return max(sum(begin <= moment < begin + 1 for moment in times) for begin in times)
