"""Starts, stops and kills scheduler processes."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.waiting import in_time

Environment = dict[str, str]


async def until_said(log: asyncio.StreamReader, words: bytes) -> None:
    """Read a process's log until a line holds ``words``."""
    seen: deque[bytes] = deque(maxlen=20)

    async def read() -> None:
        while words not in (line := await log.readline()):
            seen.append(line)
            assert line, f"it ended without a word of {words!r}: {list(seen)}"

    await in_time(read(), 60, what=f"a line with {words!r}", saw=lambda: list(seen))


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
        code = await _end(process, process.stderr)
    assert code in (0, -signal.SIGKILL)


async def _end(process: asyncio.subprocess.Process, log: asyncio.StreamReader) -> int:
    """End it by SIGTERM, after the deadline by force; what it said meanwhile is in the failure."""
    said: deque[bytes] = deque(maxlen=20)

    async def listen() -> int:
        async for line in log:
            said.append(line)
        return await process.wait()

    if process.returncode is None:
        process.terminate()
    try:
        return await in_time(listen(), 30, what="the scheduler's end after SIGTERM", saw=lambda: list(said))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def environment(database: str, kafka: str, prefix: str) -> Environment:
    """The settings of a scheduler."""
    return {"DATABASE_URL": database, "KAFKA_BOOTSTRAP_SERVERS": kafka, "HEADRACE_TOPIC_PREFIX": prefix}
