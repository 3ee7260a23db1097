"""What the bench compares: something that reads events from a topic and leaves rows in ``automation_logs``."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import psycopg

from app.adapters.kafka.admin import ensure_topics
from app.domain.kafka_connection import KafkaConnection
from app.embedded.child import Child, Command
from app.topics import TopicSpec
from tests.support.servers import Servers

_SCHEMA = Path(__file__).with_name("ceiling.sql")
_PARTITIONS = 8  # as many as the product's topics have


class Contender(Protocol):
    """One side of the comparison, from start to stop; each start is on an empty database and new topics."""

    name: str

    @property
    def topic(self) -> str:
        """Where the events go."""

    @property
    def workflow(self) -> UUID:
        """Whose executions are expected."""

    @property
    def database_url(self) -> str:
        """Where ``automation_logs`` is."""

    @property
    def pids(self) -> dict[str, int]:
        """Its processes by name."""

    async def start(self) -> None:
        """Start on an empty database and return when events are taken."""

    async def stop(self) -> None:
        """End every process."""

    def hold(self) -> None:
        """Stop taking events, as if they had not been read yet."""

    def go(self) -> None:
        """Take events again."""


class CeilingContender:
    """The hand-written process.

    Args:
        servers: Broker and Postgres.
        webhook_url: Where it posts.
    """

    name = "ceiling"

    def __init__(self, servers: Servers, webhook_url: str) -> None:
        self._servers = servers
        self._webhook_url = webhook_url
        self._child: Child | None = None
        self.topic = ""
        self.workflow = uuid4()
        self.database_url = ""

    @property
    def pids(self) -> dict[str, int]:
        """The one process."""
        return {"ceiling": self._running()}

    async def start(self) -> None:
        """Make database and topic, start the process."""
        self.topic = f"bench.ceiling.{uuid4().hex[:8]}"
        self.database_url = self._servers.fresh_database("bench_ceiling")
        await ensure_topics(
            KafkaConnection(self._servers.bootstrap), [TopicSpec(self.topic, _PARTITIONS)], replication_factor=1
        )
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            await connection.execute(_SCHEMA.read_bytes())
            await connection.execute("INSERT INTO automations VALUES (%s)", (self.workflow,))
        arguments = {
            "bootstrap": self._servers.bootstrap,
            "topic": self.topic,
            "workflow": str(self.workflow),
            "url": self._webhook_url,
        }
        words = [word for name, value in arguments.items() for word in (f"--{name}", value)]
        environment = {"DATABASE_URL": self.database_url}
        argv = (sys.executable, "-m", "tests.benchmarks.ceiling", *words)
        self._child = Child(Command("ceiling", argv, environment), self._servers.home)
        self._child.spawn()

    async def stop(self) -> None:
        """End the process."""
        if self._child is not None:
            await asyncio.to_thread(self._child.stop)

    def hold(self) -> None:
        """Freeze the process."""
        os.kill(self._running(), signal.SIGSTOP)

    def go(self) -> None:
        """Thaw it."""
        os.kill(self._running(), signal.SIGCONT)

    def _running(self) -> int:
        if self._child is None or self._child.pid is None:
            tail = self._child.log_tail(15) if self._child else ""
            raise RuntimeError(f"the ceiling does not run\n{tail}")
        return self._child.pid
