"""A change that never reached the outbox's topic is found in Postgres and sent again, as the matchers read it."""

from uuid import UUID, uuid4

from app.actions.configs import validate_config
from app.actions.registry import REGISTRY
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.outbox import PostgresOutbox
from app.adapters.postgres.pool import open_pool
from app.adapters.postgres.workflow_versions import PostgresVersions
from app.adapters.postgres.workflows import PostgresWorkflows
from app.domain.callers import Caller
from app.ports import Record
from app.ports.outbox import Bounds
from app.services.operations.table_check import TableAge, TableCheck
from app.services.workflows.drafts import DraftReader
from app.services.workflows.index import Applied, WorkflowIndex
from app.services.workflows.lifecycle import WorkflowService
from app.settings import Settings
from app.topics import WORKFLOWS
from tables.workflows import read_change
from tests.integration.relay import outbox_rows as outbox

DRAFT = {
    "name": "Thank for a big order",
    "description": "Only for people",
    "trigger": {"type": "order.created"},
    "conditions": [{"field": "order.total", "operator": ">", "value": 500.5}],
    "actions": [{"type": "apply_tag", "order": 1, "config": {"tag": "vip"}}],
}


async def write_history(settings: Settings) -> list[UUID]:
    """Three workflows: inactive, active, deleted."""
    api = ApiDatabase(settings)
    service = WorkflowService(PostgresWorkflows(api), DraftReader(REGISTRY.names(), validate_config))
    caller = Caller(uuid4(), "user")
    ids = [(await service.create(caller, DRAFT)).id for _ in range(3)]
    await service.set_active(caller, ids[1], None, active=True)
    await service.delete(caller, ids[2], None)
    await api.close()
    return ids


async def take_all(database: str) -> list[Record]:
    """Empty the outbox, as a relay does."""
    async with PostgresOutbox(database).lead() as session:
        rows = await session.pending(Bounds(100))
        await session.delete([row.id for row in rows])
        return [row.record for row in rows]


async def test_what_a_matcher_missed_comes_again(database: str) -> None:
    """The repair brings each missed workflow's newest revision, the same as the first time; then nothing is missed."""
    settings = Settings.model_validate({"database_url": database})
    ids = await write_history(settings)
    first = await take_all(database)
    index = WorkflowIndex()
    async with open_pool(settings, DatabaseRole.MATCHER) as pool:
        check = TableCheck(index, PostgresVersions(pool), age=TableAge(60), every_s=60, grace_s=0.01)
        assert await check.check() == {ids[0]: 1, ids[1]: 2, ids[2]: 2}
        again = await take_all(database)
        newest = {record.key: record for record in first}
        assert {record.key: read_change(record.key or b"", record.value) for record in again} == {
            key: read_change(key or b"", record.value) for key, record in newest.items()
        }
        assert {record.topic for record in again} == {WORKFLOWS}
        assert not any(b"Only for people" in (record.value or b"") for record in again)
        outcomes = [index.apply(read_change(record.key or b"", record.value)) for record in again]
        assert sorted(outcomes) == [Applied.ACTIVE, Applied.DELETED, Applied.INACTIVE]
        assert await check.check() == {}
    assert await outbox.waiting(database) == 0
