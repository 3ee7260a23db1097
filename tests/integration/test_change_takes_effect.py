"""A change takes effect within a second of the API's answer, on every matcher (docs/design.md#12-workflow-table)."""

from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from time import time
from uuid import UUID, uuid4

import orjson
import pytest

from app.actions.configs import validate_config
from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.adapters.kafka.producer import KafkaSender
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.workflows import PostgresWorkflows
from app.domain.callers import Caller
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record
from app.services.workflows.drafts import DraftReader
from app.services.workflows.lifecycle import WorkflowService
from app.settings import Settings
from app.topics import Topics, declare
from tests.integration.relay.schedulers import environment, scheduler
from tests.support.waiting import eventually
from tests.tables.workers import TableWorker, workers_on

CHANGES = 200
WORKFLOWS = 10
DRAFT = {
    "name": "Thank for a big order",
    "trigger": {"type": "order.created"},
    "conditions": [{"field": "order.total", "operator": ">", "value": 500}],
    "actions": [{"type": "apply_tag", "order": 1, "config": {"tag": "vip"}}],
}


@pytest.fixture
async def service(database: str, kafka: str, topic_prefix: str) -> AsyncIterator[WorkflowService]:
    """The API's use cases, on this test's database and topics."""
    settings = Settings.model_validate({"database_url": database, "topic_prefix": topic_prefix})
    await ensure_topics(KafkaConnection(kafka), declare(settings, []), replication_factor=1)
    api = ApiDatabase(settings)
    yield WorkflowService(PostgresWorkflows(api), DraftReader(REGISTRY.names(), validate_config))
    await api.close()


async def test_a_change_takes_effect_within_a_second_on_every_matcher(
    service: WorkflowService, database: str, kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Of 200 activations and deactivations 99 in 100 are effective on both tables within a second of the answer."""
    caller = Caller(uuid4(), "user")
    created = [(await service.create(caller, DRAFT)).id for _ in range(WORKFLOWS)]
    async with (
        workers_on(kafka, topic_prefix, tmp_path) as workers,
        scheduler(environment(database, kafka, topic_prefix), "a"),
    ):
        tables = [await workers.start("1"), await workers.start("2")]
        for table in tables:
            await eventually(partial(all_seen, table, {(workflow, 1) for workflow in created}), within=60)
        answered = await toggle(service, caller, created)
        for table in tables:
            await eventually(partial(all_seen, table, answered.keys()), within=30)
        delays = sorted(
            max(table.effective_at()[str(workflow), version] for table in tables) - at
            for (workflow, version), at in answered.items()
        )
        assert await matched(tables, kafka, topic_prefix, "when all are off") == []
        on = await service.set_active(caller, created[3], None, active=True)
        for table in tables:
            await eventually(partial(all_seen, table, {(on.id, on.version)}))
        assert await matched(tables, kafka, topic_prefix, "when one is on") == [str(on.id)]
    assert len(delays) == CHANGES
    p99 = delays[CHANGES * 99 // 100 - 1]
    print(  # noqa: T201 - the figure is what the issue asks for
        f"change takes effect: p50 {delays[CHANGES // 2] * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, "
        f"max {delays[-1] * 1000:.0f} ms after the API's answer, on the slower of two matchers"
    )
    assert p99 < 1.0


async def toggle(service: WorkflowService, caller: Caller, workflows: list[UUID]) -> dict[tuple[UUID, int], float]:
    """Switch each workflow on and off in turn; returns when the API answered, by workflow and version."""
    answered = {}
    for number in range(CHANGES):
        workflow = workflows[number % len(workflows)]
        active = number // len(workflows) % 2 == 0
        changed = await service.set_active(caller, workflow, None, active=active)
        answered[workflow, changed.version] = time()
    return answered


async def matched(tables: list[TableWorker], kafka: str, prefix: str, event_id: str) -> list[str]:
    """What an event that is produced now matches."""
    value = orjson.dumps({"id": event_id, "type": "order.created"})
    async with KafkaSender(KafkaConnection(kafka)) as sender:
        await sender.send(Record(Topics(prefix).events("order.created"), b"key", value))

    def found() -> list[list[str]]:
        return [table.events()[event_id] for table in tables if event_id in table.events()]

    return (await eventually(found))[0]


def all_seen(table: TableWorker, changes: AbstractSet[tuple[UUID, int]]) -> bool:
    """Whether every change took effect there."""
    assert not table.said("cannot be read")
    return {(str(workflow), version) for workflow, version in changes} <= table.effective_at().keys()
