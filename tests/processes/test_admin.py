"""The admin process: it starts on real Kafka and Postgres, says where it is, and ends in order."""

import asyncio
import gc
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg
import pytest
from pydantic import SecretStr

from app.admin.auth import mint_token
from app.domain.errors import SettingsError, UnreachableError
from app.embedded.free_ports import pick_ports
from app.processes.admin import served
from app.settings import Settings
from tests.admin.conftest import SECRET, User
from tests.support.topic_records import make_topic, read_topic
from tests.support.waiting import in_time, limit

START = "from app.processes.admin import run_admin; from app.settings import load_settings; run_admin(load_settings())"


@pytest.fixture
def environment(kafka: str, database: str, topic_prefix: str) -> dict[str, str]:
    """What the process finds in its environment."""
    return {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_URL": database,
        "HEADRACE_JWT_SECRET": SECRET,
        "HEADRACE_TOPIC_PREFIX": topic_prefix,
        "HEADRACE_ADMIN_PORT": "0",
        "HEADRACE_WORKFLOWS_PER_USER": "7",
    }


def stored_quotas(url: str) -> Any:
    """What the database holds users to."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT workflows, active FROM workflow_quotas").fetchone()


@asynccontextmanager
async def process(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """An admin process, killed at the end if it has not ended."""
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", START, env=environment, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def url_of(started: asyncio.subprocess.Process) -> str:
    """Wait for the line that says where the API is."""
    assert started.stdout is not None
    said: list[bytes] = []
    async with limit(60, what="the line with the URL", saw=lambda: b"".join(said[-20:])):
        async for line in started.stdout:
            said.append(line)
            found = re.search(rb"http://[^\s\"]+", line)
            if found:
                return found[0].decode()
    raise AssertionError(f"the process ended without a URL: {b''.join(said[-20:])!r}")


async def test_the_process_serves_and_ends_on_sigterm(environment: dict[str, str], topic_prefix: str) -> None:
    """It prints its URL, stores its quotas, takes workflows and events on real Postgres and Kafka, ends with 0."""
    await make_topic(environment["KAFKA_BOOTSTRAP_SERVERS"], f"{topic_prefix}events.order")
    async with process(environment) as started:
        async with aiohttp.ClientSession(await url_of(started)) as session:
            user = User(
                session, mint_token(Settings(jwt_secret=SecretStr(SECRET)), uuid4(), "user", 60, ["events:write"])
            )
            assert (await user.call("GET", "/readyz")).status == 200
            await user.create()
            assert stored_quotas(environment["DATABASE_URL"]) == (7, 20)
            event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "order.paid", "subject": "c"}
            assert (await user.call("POST", "/api/v1/events", event)).status == 202
        (record,) = await read_topic(environment["KAFKA_BOOTSTRAP_SERVERS"], f"{topic_prefix}events.order", 1)
        assert record.key == b"c"
        started.send_signal(signal.SIGTERM)
        assert await in_time(started.wait(), 10, what="the end after SIGTERM") == 0


async def test_a_busy_port_is_said_in_one_line(environment: dict[str, str]) -> None:
    """The port is taken: the error names it and the variable that changes it."""
    taken = socket.create_server(("127.0.0.1", 0))
    with taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"{port}.*HEADRACE_ADMIN_PORT"):
            async with served(settings_of(environment, admin_port=port)):
                pass
    # A connection that was just being made is closed with the last who knows it, which a cycle keeps; until then
    # Postgres waits a minute for the rest of its login, and DROP DATABASE for that.
    gc.collect()


async def test_a_missing_secret_is_said_before_anything_is_connected_to() -> None:
    """Without a secret there is no API, whatever else is there."""
    with pytest.raises(SettingsError, match="HEADRACE_JWT_SECRET"):
        async with served(Settings()):
            pass


async def test_a_database_that_is_not_there_is_said(environment: dict[str, str]) -> None:
    """No Postgres: one clear error within 10 seconds, without the password."""
    (port,) = pick_ports(1)
    url = SecretStr(f"postgresql://me:swordfish@127.0.0.1:{port}/x")
    async with limit(10, what="the error that names Postgres"):
        with pytest.raises(UnreachableError, match="Postgres") as caught:
            async with served(settings_of(environment, database_url=url)):
                pass
    assert "swordfish" not in str(caught.value)


async def test_a_broker_that_is_not_there_is_said(environment: dict[str, str]) -> None:
    """No Kafka: one clear error within 10 seconds that says where it was looked for."""
    servers = f"127.0.0.1:{pick_ports(1)[0]}"
    async with limit(10, what="the error that names Kafka"):
        with pytest.raises(UnreachableError, match=servers):
            async with served(settings_of(environment, kafka_bootstrap_servers=servers)):
                pass


def settings_of(environment: dict[str, str], **changes: Any) -> Settings:
    """Settings on this test's services."""
    return Settings(
        **{
            "kafka_bootstrap_servers": environment["KAFKA_BOOTSTRAP_SERVERS"],
            "database_url": SecretStr(environment["DATABASE_URL"]),
            "jwt_secret": SecretStr(SECRET),
            "admin_port": 0,
            **changes,
        }
    )
