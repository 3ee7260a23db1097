"""Worker processes of the transport's tests: started, listened to, ended."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.integration.transport.apps import Place
from tests.support.waiting import eventually, in_time


class Process:
    """One worker process and what it has said."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            asyncio.create_task(self._listen(child.stdout, self.lines)),
            asyncio.create_task(self._listen(child.stderr, self.errors)),
        ]

    @staticmethod
    async def _listen(stream: asyncio.StreamReader | None, lines: list[str]) -> None:
        assert stream is not None
        async for line in stream:
            lines.append(line.decode().rstrip())  # noqa: PERF401  # read while it grows

    def said(self, word: str) -> list[str]:
        """Values that came with a word."""
        return [line.split(" ", 1)[1] for line in self.lines if line.startswith(f"{word} ")]

    def _tail(self) -> str:
        return "\n".join((*self.lines[-20:], *self.errors[-20:]))

    def terminate(self) -> None:
        """Ask it to end."""
        self._child.send_signal(signal.SIGTERM)

    async def ended(self, within: float = 15.0) -> int:
        """Wait for its end; returns the exit code."""
        code = await in_time(self._child.wait(), within, what="the worker's end", saw=self._tail)
        await asyncio.gather(*self._readers)
        return code

    async def end(self) -> None:
        """End it by force if it still runs."""
        if self._child.returncode is None:
            self._child.kill()
        await self.ended()


@asynccontextmanager
async def worker(place: Place, instance: str, *, hold: float = 60.0) -> AsyncIterator[Process]:
    """Run a worker process; it is killed at the end if it still runs. ``hold``: see ``worker.py``."""
    arguments = (place.kafka, place.group, place.topic, instance, str(place.folder), str(hold))
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.transport.worker",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    process = Process(child)
    try:
        await eventually(lambda: process.said("up"), within=20, what=f"worker {instance} up")
        yield process
    finally:
        await process.end()
