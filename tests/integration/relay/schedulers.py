"""Starts, stops and kills scheduler processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Environment = dict[str, str]


async def until_said(log: asyncio.StreamReader, words: bytes) -> None:
    """Read a process's log until a line holds ``words``."""

    async def read() -> None:
        while words not in (line := await log.readline()):
            assert line, f"it ended without a word of {words!r}"

    await asyncio.wait_for(read(), 60)


@asynccontextmanager
async def scheduler(environment: Environment, instance: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a scheduler; at the end it gets SIGTERM and must end well, unless the test has killed it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.relay.scheduler_process"),
        env={**os.environ, **environment, "HEADRACE_INSTANCE": instance},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        await until_said(process.stderr, b"running")
        yield process
    finally:
        code = await _end(process)
    assert code in (0, -signal.SIGKILL)


async def _end(process: asyncio.subprocess.Process) -> int:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
    return await process.wait()


def environment(database: str, kafka: str, prefix: str) -> Environment:
    """The settings of a scheduler."""
    return {"DATABASE_URL": database, "KAFKA_BOOTSTRAP_SERVERS": kafka, "HEADRACE_TOPIC_PREFIX": prefix}
