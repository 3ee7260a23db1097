"""A real installation on the user's own CRM over HTTP: every action on the CRM happens there, and only there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
from psycopg.rows import dict_row

from app.domain.causation import Link
from app.domain.ids import execution_id
from tests.integration.site import Row, event
from tests.support.broker import remove_topics
from tests.support.crm_http import served_crm
from tests.support.postgres import new_database
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

TABLES = ("customers", "tags", "notes", "tasks", "appointments", "conversations")


@dataclass
class Installation:
    """An installation and the two databases: its own, and the user's CRM's."""

    stack: Stack
    own: psycopg.AsyncConnection[Row]
    theirs: psycopg.AsyncConnection[Row]

    async def rows(self, execution: UUID) -> list[Row]:
        """The log's rows of an execution."""
        query = "SELECT * FROM automation_logs WHERE id = %s"
        return await (await self.own.execute(query, (execution,))).fetchall()


@pytest.fixture
async def installation(
    kafka: str, postgres: str, migrated_template: str, tmp_path: Path
) -> AsyncIterator[Installation]:
    """Workers without what this test does not need, on a CRM that is another installation's."""
    prefix = f"t{uuid4().hex[:10]}."
    roles = dict.fromkeys(("scheduler", "matcher", "executor-crm", "executor-workflow", "sink", "admin"), 1)
    connect = partial(psycopg.AsyncConnection.connect, autocommit=True, row_factory=dict_row)
    with (
        new_database(postgres, template=migrated_template) as own,
        new_database(postgres, template=migrated_template) as theirs,
    ):
        async with served_crm(theirs, "theirs.") as server:
            environment = {"HEADRACE_CRM_URL": server.url, "HEADRACE_CRM_TOKEN": server.token}
            async with (
                Stack(kafka, own, prefix, tmp_path, roles=roles, environment=environment) as stack,
                await connect(own) as ours,
                await connect(theirs) as crm,
            ):
                yield Installation(stack, ours, crm)
    await remove_topics(kafka, prefix)


def steps(*actions: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Actions in the given order."""
    return [{"type": kind, "order": order, "config": config} for order, (kind, config) in enumerate(actions, 1)]


async def test_actions_and_looks_go_to_the_users_crm(installation: Installation) -> None:
    """All seven actions succeed there, current is read there, its events carry the chain; ours stays empty."""
    stack, kind = installation.stack, f"custom.t{uuid4().hex[:12]}"
    actions = steps(
        ("update_customer", {"set": {"name": "Ada now"}}),
        ("apply_tag", {"tag": "VIP"}),
        ("apply_tag", {"tag": "old"}),
        ("remove_tag", {"tag": "old"}),
        ("create_note", {"text": "This is {{ current.customer.name }}, {{ current.customer.tags[0] }}"}),
        ("create_task", {"title": "Call", "due": "1d"}),
        ("create_appointment", {"title": "Call", "starts_at": "2d"}),
        ("assign_conversation", {"conversation_id": "v/1", "assignee": "sam"}),
    )
    workflow = await stack.api.create_workflow({"name": kind, "trigger": {"type": kind}, "actions": actions})
    await stack.settled()
    sent = event(kind)
    await stack.emitter.emit(sent)
    execution = execution_id(workflow, sent["source"], sent["id"])
    (row,) = await eventually(partial(installation.rows, execution), within=30.0, what="the execution in the log")
    assert [result["error"] for result in row["actions_executed"]] == [None] * len(actions)
    assert row["status"] == "success"
    for table in TABLES:
        counted = f"SELECT count(*) FROM crm.{table}"  # noqa: S608 - names of ours
        assert await fetch(installation.own, counted) == [{"count": 0}]
        assert await fetch(installation.theirs, counted) == [{"count": 1}]
    assert await fetch(installation.theirs, "SELECT text FROM crm.notes") == [{"text": "This is Ada now, VIP"}]
    told = [
        orjson.loads(one["value"]) for one in await fetch(installation.theirs, "SELECT value FROM outbox ORDER BY id")
    ]
    assert [one["type"] for one in told] == [
        "customer.updated", "tag.applied", "tag.applied", "tag.removed", "appointment.created",
    ]  # fmt: skip
    assert {one["causation"] for one in told} == {str(Link(workflow, execution))}
    draft = {"name": kind, "trigger": {"type": kind}, "actions": actions[4:5]}
    tried, _ = await stack.api.call(
        "POST", "/api/v1/workflows/test", {"workflow": draft, "event": {"data": sent["data"]}}
    )
    assert tried["steps"][0]["would_send"]["text"] == "This is Ada now, VIP"


async def fetch(connection: psycopg.AsyncConnection[Row], query: str) -> list[Row]:
    """Run a query."""
    return await (await connection.execute(query.encode())).fetchall()
