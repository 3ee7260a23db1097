"""``headrace`` as a process, with an installation of the test's own."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from tests.support.broker import remove_topics
from tests.support.postgres import new_database
from tests.support.session_home import session_home


@dataclass(frozen=True)
class Up:
    """An installation that runs.

    Attributes:
        environment: What it was started with.
        elsewhere: What another terminal has: it finds the installation by its folder.
        said: What was printed as it started.
    """

    environment: dict[str, str]
    elsewhere: dict[str, str]
    said: str


@contextmanager
def installation(kafka: str, postgres: str, *options: str) -> Iterator[Up]:
    """Run one on the session's broker and an empty database."""
    prefix = f"t{uuid4().hex[:10]}."
    with session_home() as home, new_database(postgres) as database_url:
        elsewhere = {**os.environ, "HEADRACE_HOME": str(home)}
        environment = {
            **elsewhere,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "DATABASE_URL": database_url,
            "HEADRACE_TOPIC_PREFIX": prefix,
            "HEADRACE_EVENTS_PARTITIONS": "2",
            "HEADRACE_ACTIONS_PARTITIONS": "2",
        }
        try:
            yield Up(environment, elsewhere, asyncio.run(headrace(environment, "up", "--detach", *options)))
        finally:
            asyncio.run(headrace(environment, "down"))
            asyncio.run(remove_topics(kafka, prefix))


async def headrace(environment: dict[str, str], *arguments: str) -> str:
    """Run a command that has to succeed, under a umask that hides nothing, and return what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app.cli",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        umask=0,
    )
    out, _ = await process.communicate()
    said = out.decode()
    assert process.returncode == 0, said
    return said
