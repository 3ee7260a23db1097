"""Each role started wrong says within ten seconds what is wrong and what to run, and ends as docs/operating.md says.

Real processes, started side by side, on a broker and a Postgres that they share.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.adapters.secrets.cipher import FernetCipher, new_key
from app.domain.kafka_connection import KafkaConnection
from app.embedded.free_ports import pick_ports
from app.processes.role_names import role_names
from app.settings import Settings
from app.topics import declare
from tests.support.broker import remove_topics
from tests.support.deadlines import scaled
from tests.support.logins import as_process
from tests.support.postgres import new_database
from tests.support.waiting import in_time

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

ROLES: Final = (*role_names(), "sources", "admin")
EXECUTORS: Final = tuple(role for role in ROLES if role.startswith("executor-"))
WITHIN_S: Final = 10.0
MEND, AGAIN = 2, 1
_AT_ONCE: Final = 3
_SOURCES: Final = '[{"name": "shop", "topic": "%s", "type": "order.created", "entity": "customer"}]'


@dataclass(frozen=True)
class Ended:
    """How a process came to its end: its code, what it said, and how long it took."""

    code: int | None
    said: str
    took: float


@dataclass(frozen=True)
class Ground:
    """An installation that is whole, and an empty database beside it."""

    kafka: str
    database: str
    empty: str
    prefix: str
    home: Path

    def environment(self, role: str, **wrong: str) -> dict[str, str]:
        """What a role's process is given; what is wrong takes the place of what is right."""
        return {
            **os.environ,
            "HEADRACE_HOME": str(self.home),
            "HEADRACE_DATA_DIR": str(self.home / "workers"),
            "HEADRACE_METRICS_PORT": "0",
            "HEADRACE_ADMIN_PORT": "0",
            "HEADRACE_JWT_SECRET": "test-secret-test-secret-test-secret-0123",
            "HEADRACE_TOPIC_PREFIX": self.prefix,
            "HEADRACE_EVENTS_PARTITIONS": "1",
            "HEADRACE_ACTIONS_PARTITIONS": "1",
            "HEADRACE_SOURCES": _SOURCES % "others",
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "DATABASE_URL": as_process(self.database, role),
            **wrong,
        }


@pytest.fixture(scope="module")
async def ground(
    kafka: str, postgres: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ground]:
    """One for all tests: nothing that starts wrong changes it."""
    prefix = f"wrong-{uuid4().hex[:8]}."
    settings = Settings(topic_prefix=prefix, events_partitions=1, actions_partitions=1)
    await ensure_topics(KafkaConnection(kafka), declare(settings, REGISTRY.names()), replication_factor=1)
    with new_database(postgres, template=migrated_template) as database, new_database(postgres) as empty:
        with psycopg.connect(database) as connection:
            sealed = FernetCipher(new_key()).encrypt("a value")
            row = "INSERT INTO secrets (name, value, updated_by) VALUES (%s, %s, %s)"
            connection.execute(row, ("SHOP", sealed, uuid4()))
        yield Ground(kafka, database, empty, prefix, tmp_path_factory.mktemp("wrong"))
    await remove_topics(kafka, prefix)


async def ends(ground: Ground, role: str, turns: asyncio.Semaphore, wrong: Mapping[str, str]) -> Ended:
    """Start a role, and wait for its end."""
    words = ("admin",) if role == "admin" else ("worker", role)
    async with turns:
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.cli", *words),
            env=ground.environment(role, **wrong),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await in_time(process.communicate(), 30.0, what=f"the end of {role}")
        finally:
            if process.returncode is None:
                process.kill()
        return Ended(process.returncode, said.decode(), time.monotonic() - started)


async def all_end(ground: Ground, roles: tuple[str, ...], **wrong: str) -> dict[str, Ended]:
    """Start roles side by side, each with the same mistakes; what they came to."""
    turns = asyncio.Semaphore(_AT_ONCE)
    ended = await asyncio.gather(*(ends(ground, role, turns, wrong) for role in roles))
    return dict(zip(roles, ended, strict=True))


def wrongly(found: Mapping[str, Ended], code: int, *said: str) -> list[str]:
    """What is not as it should be: another exit code, too slow, or words that are missing."""
    return [
        f"{role}: {ended.code} after {ended.took:.1f} s: {ended.said}"
        for role, ended in found.items()
        if ended.code != code or ended.took > scaled(WITHIN_S) or not all(one in ended.said for one in said)
    ]


async def test_without_migrations_and_topics(ground: Ground) -> None:
    """Both are said at once, with the two commands; that another prefix has an installation is said too."""
    found = await all_end(ground, ROLES, DATABASE_URL=ground.empty, HEADRACE_TOPIC_PREFIX="elsewhere.")
    assert not wrongly(
        found,
        MEND,
        "migrations: no migration is applied",
        "run `headrace migrate`",
        "topics: none of the needed ones is there under the prefix elsewhere.",
        "set HEADRACE_TOPIC_PREFIX to that, or run `headrace topics`",
    )


async def test_with_a_misspelt_variable(ground: Ground) -> None:
    """The one that is meant is named; the value, which may be a secret, is not."""
    found = await all_end(ground, ROLES, HEADRACE_SECRET_KEY="hidden-word")
    assert not wrongly(found, MEND, "HEADRACE_SECRET_KEY is set", "is HEADRACE_SECRETS_KEY meant?")
    assert not [role for role, ended in found.items() if "hidden-word" in ended.said]


async def test_with_broker_and_postgres_down(ground: Ground) -> None:
    """Both are said, with their variables; the exit code says that starting again can help."""
    away = pick_ports(2)
    found = await all_end(
        ground,
        ROLES,
        KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{away[0]}",
        DATABASE_URL=f"postgresql://someone:hidden-word@127.0.0.1:{away[1]}/x",
    )
    assert not wrongly(found, AGAIN, "KAFKA_BOOTSTRAP_SERVERS", "Postgres does not answer", "DATABASE_URL")
    assert not [role for role, ended in found.items() if "hidden-word" in ended.said]


async def test_without_the_key_of_stored_secrets(ground: Ground) -> None:
    """Executors use secrets; without the key, or with another one, each step that does would fail."""
    without = await all_end(ground, EXECUTORS[:2], HEADRACE_SECRETS_KEY="")
    assert not wrongly(without, MEND, "HEADRACE_SECRETS_KEY is not set, but 1 are stored: secret SHOP")
    other = await all_end(ground, EXECUTORS[2:], HEADRACE_SECRETS_KEY=new_key())
    assert not wrongly(other, MEND, "HEADRACE_SECRETS_KEY opens 0 of 1; not secret SHOP")


async def test_only_one_of_them_down(ground: Ground) -> None:
    """The other is not blamed."""
    away = pick_ports(1)[0]
    broker = await all_end(ground, ("sink",), KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{away}")
    assert not wrongly(broker, AGAIN, "KAFKA_BOOTSTRAP_SERVERS")
    assert "Postgres" not in broker["sink"].said
    postgres = await all_end(ground, ("sink",), DATABASE_URL=f"postgresql://x@127.0.0.1:{away}/x")
    assert not wrongly(postgres, AGAIN, "DATABASE_URL")
    assert "Kafka" not in postgres["sink"].said


async def test_check_says_all_at_once(ground: Ground) -> None:
    """For people and for scripts; what is right is said too."""
    wrong = {"DATABASE_URL": ground.empty, "HEADRACE_TOPIC_PREFX": "x", "HEADRACE_JWT_SECRET": ""}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "check", "--json"),
        env=ground.environment("admin", **wrong),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    found = json.loads(said)
    states = {finding["check"]: finding["state"] for finding in found["findings"]}
    assert (process.returncode, found["status"]) == (1, "failing")
    assert {check for check, state in states.items() if state == "problem"} == {
        *("variables", "settings", "migrations", "sources"),
    }
    assert {check for check, state in states.items() if state == "ok"} >= {"postgres", "kafka", "topics"}
