"""The embedded broker and Postgres: they keep data and port over a stop and over a kill, and belong to one starter."""

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.adapters.kafka.external import ExternalKafka
from app.adapters.postgres.external import ExternalPostgres
from app.domain.errors import SetupError
from app.domain.kafka_connection import KafkaConnection
from app.embedded.broker import KafkaNode
from app.embedded.free_ports import keep_or_pick, pick_ports
from app.embedded.postgres import PostgresNode
from app.embedded.service import start
from app.processes.home import AlreadyStartedError, default_home
from tests.support.session_home import session_home


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for one broker or Postgres of the test's own."""
    with session_home() as folder:
        yield folder


def test_a_busy_port_is_avoided() -> None:
    """A port that somebody listens on is not kept; a free one is."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        busy = listener.getsockname()[1]
        assert keep_or_pick(busy) != busy
    free = pick_ports(1)[0]
    assert keep_or_pick(free) == free


@pytest.mark.postgres
def test_postgres_keeps_data_and_port(home: Path) -> None:
    """What was committed is there after a clean stop and after a kill, at the same URL."""
    node = PostgresNode(home)
    start(node)
    try:
        url = node.url
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
        node.stop()
        start(node)
        node.kill()
        assert not node.alive()
        node.spawn()
        node.wait_ready()
        assert node.url == url
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchall() == [(1,)]
    finally:
        node.stop()


@pytest.mark.postgres
def test_postgres_is_durable_and_asks_for_the_password(home: Path) -> None:
    """Both fsync and synchronous commits are on, and nobody gets in without the generated password."""
    node = PostgresNode(home)
    start(node)
    try:
        with psycopg.connect(node.url) as connection:
            settings = [
                connection.execute(f"SHOW {name}").fetchone()
                for name in ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses")
            ]
        assert settings == [("on",), ("on",), ("on",), ("127.0.0.1",)]
        password = node.url.split(":")[2].split("@")[0]
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(node.url.replace(password, "guessed"))
    finally:
        node.stop()


@pytest.mark.postgres
def test_postgres_serves_in_a_folder_that_only_its_owner_may_enter(home: Path) -> None:
    """Root lends it another user, who cannot get in: its data is elsewhere then, and is found again."""
    private = home / "private"
    private.mkdir(mode=0o700)
    for expected in (0, 1):
        node = PostgresNode(private)
        start(node)
        with psycopg.connect(node.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS starts (number int)")
            assert connection.execute("SELECT count(*) FROM starts").fetchone() == (expected,)
            connection.execute("INSERT INTO starts VALUES (1)")
        node.stop()


@pytest.mark.postgres
def test_a_second_starter_is_refused(home: Path) -> None:
    """While one holds the data nobody else starts on it."""
    first, second = PostgresNode(home), PostgresNode(home)
    start(first)
    try:
        with pytest.raises(AlreadyStartedError):
            second.prepare()
    finally:
        first.stop()
    start(second)
    second.stop()


@pytest.mark.kafka
async def test_kafka_keeps_data_and_port(home: Path) -> None:
    """Topics are there after a clean stop and after a kill, at the same address, and none is made by asking for it."""
    node = KafkaNode(home, default_home())
    start(node)
    try:
        servers = node.url
        await _create(servers, "kept")
        node.stop()
        start(node)
        node.kill()
        node.spawn()
        node.wait_ready()
        assert node.url == servers
        assert await _topics(servers) == {"kept"}
    finally:
        node.stop()


async def _create(servers: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()


async def _topics(servers: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.describe_topics(["never-declared"])
    found = {name for name in await admin.list_topics() if not name.startswith("__")}
    await admin.close()
    return found


def test_a_named_broker_that_does_not_answer_is_one_line() -> None:
    """The line names the address and the variable."""
    port = pick_ports(1)[0]
    with pytest.raises(SetupError, match=rf"Kafka does not answer at 127.0.0.1:{port} .*KAFKA_BOOTSTRAP_SERVERS"):
        ExternalKafka(KafkaConnection(f"127.0.0.1:{port}")).wait_ready()


async def test_it_is_looked_for_wherever_one_waits() -> None:
    """A coroutine of some loop may wait for it, too."""
    port = pick_ports(1)[0]
    with pytest.raises(SetupError, match="KAFKA_BOOTSTRAP_SERVERS"):
        ExternalKafka(KafkaConnection(f"127.0.0.1:{port}")).wait_ready()


def test_a_named_database_that_does_not_answer_is_one_line_without_its_password() -> None:
    """The line names the variable, and never the password."""
    port = pick_ports(1)[0]
    with pytest.raises(SetupError) as raised:
        ExternalPostgres(f"postgresql://user:hidden-word@127.0.0.1:{port}/x").wait_ready()
    assert "DATABASE_URL" in str(raised.value)
    assert "hidden-word" not in str(raised.value)
