"""Two processes under one instance id: the newer stays, the older ends, and no record pays for it."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from app.domain.ids import execution_id
from tests.integration.site import event
from tests.support.postgres import new_database
from tests.support.stack import Stack
from tests.support.waiting import eventually
from tests.support.worker_process import WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

ROLES = {"scheduler": 1, "admin": 1, "matcher": 1, "executor-crm": 1, "sink": 1}
EVENTS = 60


async def test_the_older_process_of_an_instance_ends_and_no_record_is_lost_or_condemned(
    kafka: str, postgres: str, migrated_template: str, tmp_path: Path
) -> None:
    """Of matcher, executor and sink, while events flow: each is executed once, and there are no dead letters."""
    with new_database(postgres, template=migrated_template) as database_url:
        prefix = f"t{uuid4().hex[:10]}."
        async with Stack(kafka, database_url, prefix, tmp_path / "first", roles=ROLES) as stack:
            kind = f"custom.t{uuid4().hex[:12]}"
            action = {"type": "create_note", "order": 1, "config": {"text": "{{ n }}"}}
            draft = {"name": kind, "trigger": {"type": kind}, "actions": [action]}
            workflow = await stack.api.create_workflow(draft)
            await stack.settled()
            seconds = [
                WorkerProcess(role, "1", {**stack.environment}, tmp_path / "second")
                for role in ("matcher", "executor-crm", "sink")
            ]
            try:
                sent = [event(kind, f"c{number}", n=number) for number in range(EVENTS)]
                await stack.emitter.emit_many(sent[: EVENTS // 2])
                for second in seconds:
                    second.start()
                older = [stack.worker(second.role) for second in seconds]
                await eventually(lambda: all(one.pid is None for one in older), within=60, what="the older to end")
                await stack.emitter.emit_many(sent[EVENTS // 2 :])
                ids = [execution_id(workflow, one["source"], one["id"]) for one in sent]
                await eventually(lambda: _rows(database_url, ids), within=60, every=0.2, what="a row of each event")
                assert [second.exit_code for second in seconds] == [None] * len(seconds)
                assert await _count(database_url, "SELECT count(*) FROM dead_letters") == 0
                assert await _count(database_url, "SELECT count(*) FROM crm.notes") == EVENTS
            finally:
                for second in seconds:
                    await second.stop()


async def _count(database_url: str, query: str, *values: object) -> int:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        row = await (await connection.execute(query.encode(), values)).fetchone()
    assert row is not None
    return int(row[0])


async def _rows(database_url: str, ids: Sequence[object]) -> bool:
    return await _count(database_url, "SELECT count(*) FROM automation_logs WHERE id = ANY(%s)", ids) == len(ids)
