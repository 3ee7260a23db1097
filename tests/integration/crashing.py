"""An installation whose workers die of what asks for it, and are started again as a supervisor does."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

from app.adapters.kafka.admin import ensure_topics
from app.domain.ids import execution_id
from app.domain.kafka_connection import KafkaConnection
from app.embedded.child import Child, Command
from app.embedded.supervisor import Supervisor
from app.embedded.webhook_receiver import WebhookReceiver
from app.topics import TopicSpec
from tests.support.broker import remove_topics
from tests.support.consumer_groups import group_admin, members
from tests.support.sources import shop
from tests.support.stack import Stack
from tests.support.waiting import eventually

FAULTY = ("matcher", "executor-crm", "executor-system", "sink", "sources")
Row = dict[str, Any]


@dataclass(slots=True)
class Crashing:
    """The installation.

    Attributes:
        stack: Scheduler and API.
        supervisor: Keeps the faulty workers, and counts their restarts.
        foreign: The source's topic.
    """

    stack: Stack
    supervisor: Supervisor
    receiver: WebhookReceiver
    database: psycopg.AsyncConnection[Row]
    foreign: str

    async def fetch(self, query: str, *values: Any) -> list[Row]:
        """Run a query as the administrator."""
        return await (await self.database.execute(query.encode(), values)).fetchall()

    async def rows(self, workflow: UUID, events: list[Row]) -> list[Row]:
        """Return the log's rows of a workflow's executions for events."""
        ids = [execution_id(workflow, event["source"], event["id"]) for event in events]
        return await self.fetch("SELECT * FROM automation_logs WHERE id = ANY(%s)", ids)

    def restarts(self, role: str) -> int:
        """How often a faulty worker was started again."""
        return self.supervisor.restarts[role]

    async def joined(self, *roles: str) -> None:
        """Wait until each role's worker is in its group."""
        async with group_admin(self.stack.bootstrap) as admin:
            for role in roles:
                await eventually(partial(self._joined, admin, role), within=60, every=0.2, what=f"{role} joined")

    async def _joined(self, admin: Any, role: str) -> bool:
        return await members(admin, f"{self.stack.topics.prefix}{role}") == 1


@asynccontextmanager
async def crashing(kafka: str, database_url: str, home: Path) -> AsyncIterator[Crashing]:
    """Run it."""
    name = uuid4().hex[:10]
    prefix, foreign = f"t{name}.", f"f{name}.orders"
    await ensure_topics(KafkaConnection(kafka), [TopicSpec(foreign, 4)], replication_factor=1)
    receiver = WebhookReceiver()
    await receiver.start()
    more = {"HEADRACE_SOURCES": json.dumps([shop(topic=foreign)]), "ACTION_RETRY_INITIAL_DELAY": "100"}
    # What is tried is what the deaths lead to, not how long a supervisor waits after each (test_supervisor).
    supervisor = Supervisor(lambda _: None, longest=0.2)
    try:
        async with (
            Stack(kafka, database_url, prefix, home, roles={"scheduler": 1, "admin": 1}, environment=more) as stack,
            await psycopg.AsyncConnection.connect(database_url, autocommit=True, row_factory=dict_row) as connection,
        ):
            supervisor.start([_worker(role, stack, home) for role in FAULTY])
            made = Crashing(stack, supervisor, receiver, connection, foreign)
            await made.joined(*FAULTY)
            yield made
    finally:
        await supervisor.stop()
        await receiver.stop()
        await remove_topics(kafka, prefix)
        await remove_topics(kafka, foreign)


def _worker(role: str, stack: Stack, home: Path) -> Child:
    argv = (sys.executable, "-m", "tests.support.faulty_worker", role)
    return Child(Command(role, argv, {**stack.environment, "HEADRACE_INSTANCE": "1"}, stop_within=20.0), home)
