"""Starts, reads and kills table workers."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from tests.support.waiting import in_time

_MAX_LINE = 16 * 1024 * 1024
_STOP_WITHIN_S = 20.0


class TableWorker:
    """One worker process.

    Attributes:
        lines: Everything it printed.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self.lines: list[dict[str, Any]] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(orjson.loads(line))

    def effective_at(self) -> dict[tuple[str, int | None], float]:
        """When each change first took effect here, by workflow id and version (None: the tombstone); Unix time."""
        seen: dict[tuple[str, int | None], float] = {}
        for line in self.lines:
            if "change" in line:
                seen.setdefault((line["change"][0], line["change"][1]), line["at"])
        return seen

    def events(self) -> dict[str, list[str]]:
        """What each event matched here."""
        return {line["event"]: line["matched"] for line in self.lines if "event" in line}

    def said(self, text: str) -> bool:
        """Whether its log holds ``text``; fails if the process has ended."""
        log = self._log.read_text()
        assert self._process.returncode is None, f"the worker ended with {self._process.returncode}:\n{log[-4000:]}"
        return text in log

    def _tail(self) -> str:
        return self._log.read_text()[-4000:]

    async def kill(self) -> None:
        """End it at once."""
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        await self._reader

    async def stop(self) -> None:
        """End it with SIGTERM and wait."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await in_time(self._process.wait(), _STOP_WITHIN_S, what="the worker's end", saw=self._tail)
            except AssertionError:
                await self.kill()
                raise
        await self._reader


class Workers:
    """Starts workers on one topic prefix; all are stopped with the context."""

    def __init__(self, bootstrap_servers: str, prefix: str, home: Path) -> None:
        self._arguments = (bootstrap_servers, prefix)
        self._home = home
        self._stack = AsyncExitStack()
        self._count = 0

    async def start(self, instance: str) -> TableWorker:
        """Start one; it may take a few seconds until it says ``ready``."""
        self._count += 1
        log = self._home / f"{instance}-{self._count}.log"
        command = (sys.executable, "-m", "tests.tables.table_worker", *self._arguments, instance, str(self._home))
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=stderr, limit=_MAX_LINE, env=os.environ.copy()
            )
        worker = TableWorker(process, log)
        self._stack.push_async_callback(worker.stop)
        return worker

    async def close(self) -> None:
        """Stop all."""
        await self._stack.aclose()


@asynccontextmanager
async def workers_on(bootstrap_servers: str, prefix: str, home: Path) -> AsyncIterator[Workers]:
    """Yield a starter of workers."""
    workers = Workers(bootstrap_servers, prefix, home)
    try:
        yield workers
    finally:
        await workers.close()
