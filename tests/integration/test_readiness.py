"""A worker's page on the real thing: ready, not ready while Postgres or the broker hangs, and never slow to say so."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.domain.kafka_connection import KafkaConnection
from app.embedded.free_ports import pick_ports
from app.settings import Settings
from app.topics import declare
from tests.support.deadlines import scaled
from tests.support.freezing import frozen
from tests.support.logins import as_process
from tests.support.waiting import eventually
from tests.support.worker_process import WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

ANSWERS_WITHIN_S: Final = 2.0
FROZEN_FOR: Final = 40.0


@dataclass(frozen=True)
class Page:
    """A sink's page, and how long its answers took."""

    port: int
    took: list[float]

    def failing(self) -> set[str] | None:
        """The checks that fail; None while nothing listens."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=scaled(30))
        started = time.monotonic()
        try:
            connection.request("GET", "/readyz")
            checks: dict[str, Any] = json.loads(connection.getresponse().read())["checks"]
        except ConnectionRefusedError:
            return None
        self.took.append(time.monotonic() - started)
        return {name for name, check in checks.items() if not check["ok"]}

    def is_ready(self) -> bool:
        """Whether no check fails."""
        return self.failing() == set()

    def fails(self, name: str) -> bool:
        """Whether a check fails."""
        return name in (self.failing() or ())


@pytest.fixture
async def running(
    kafka: str, database: str, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[tuple[WorkerProcess, Page]]:
    """A sink, with topics of its own, and its page."""
    settings = Settings(topic_prefix=topic_prefix, events_partitions=1, actions_partitions=1)
    await ensure_topics(KafkaConnection(kafka), declare(settings, REGISTRY.names()), replication_factor=1)
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_URL": as_process(database, "sink"),
        "HEADRACE_TOPIC_PREFIX": topic_prefix,
        "HEADRACE_EVENTS_PARTITIONS": "1",
        "HEADRACE_ACTIONS_PARTITIONS": "1",
        "HEADRACE_DATA_DIR": str(tmp_path / "workers"),
        "HEADRACE_METRICS_PORT": str(pick_ports(1)[0]),
    }
    worker = WorkerProcess("sink", "1", environment, tmp_path)
    worker.start()
    yield worker, Page(int(environment["HEADRACE_METRICS_PORT"]), [])
    await worker.stop()


async def test_readiness_of_a_worker_whose_servers_hang(
    running: tuple[WorkerProcess, Page], kafka: str, database: str
) -> None:
    """Not ready while one of them hangs, ready again after; within two seconds each time it is asked."""
    sink, page = running
    await eventually(page.is_ready, within=60.0, every=0.2, what="the sink to be ready")
    for name, server in {"postgres": database, "kafka": kafka}.items():
        with frozen(server):
            await eventually(partial(page.fails, name), within=FROZEN_FOR, every=0.2, what=f"{name} to be missed")
        await eventually(page.is_ready, within=60.0, every=0.2, what=f"the sink to be ready again with {name}")
    assert max(page.took) < scaled(ANSWERS_WITHIN_S)
    await sink.stop()
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT stopped_at IS NOT NULL, cardinality(starts) FROM heartbeats").fetchall()
    assert row == [(True, 0)], "its orderly end is said"
