"""A process's own heartbeat: written every few seconds, on its event loop, so that a loop that hangs is seen to.

It is no duty of a process: while Postgres is away nothing is written, nothing waits for it, and readiness says why.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from importlib.metadata import version
from typing import Final

from app.domain.errors import NotReadyError, UnreachableError
from app.metrics.process import STARTS
from app.ports.heartbeats import Heartbeats, Process
from app.services.operations.background import end_all, running_beside
from app.services.operations.outages import Outage

EVERY_S: Final = 10.0
MOST_RESTARTS: Final = 3
PROVEN_S: Final = 120.0
_STOP_WITHIN_S: Final = 2.0
_MOST_PROBLEM_CHARS: Final = 300

log = logging.getLogger(__name__)


def this_process(role: str, instance: str, started_at: datetime) -> Process:
    """Return who this process is."""
    return Process(role, instance, socket.gethostname()[:255], os.getpid(), version("headrace"), started_at)


class HeartbeatWriter:
    """Writes one process's heartbeat.

    Args:
        store: Where to.
        process: Who it is.
        problems: Returns why the process is not ready, by what is asked; empty: it is.
        figures: Returns some of its metrics.
        clock: Monotonic seconds.

    Attributes:
        starts: How often its role and instance was started of late; 0 while that is not known.
    """

    def __init__(
        self,
        store: Heartbeats,
        process: Process,
        *,
        problems: Callable[[], Mapping[str, str]],
        figures: Callable[[], Mapping[str, float]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._process = process
        self._problems = problems
        self._figures = figures
        self._clock = clock
        self._since = clock()
        self._outage = Outage("table of heartbeats", log)
        self.starts = 0

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(EVERY_S)

    async def beat(self) -> None:
        """Write once; where Postgres is away the next one comes in time."""
        problems = {name: text[:_MOST_PROBLEM_CHARS] for name, text in self._problems().items()}
        try:
            self.starts = await self._store.beat(self._process, problems, self._figures())
        except UnreachableError as error:
            self._outage.failed(error)
        else:
            self._outage.served()
            STARTS.set(self.starts)

    async def restarts(self) -> str:
        """Say how often the role and instance was started of late, which makes a probe of readiness.

        Raises:
            NotReadyError: Again and again, and this process has not run for long enough to tell that it is over.
        """
        again, up = max(0, self.starts - 1), self._clock() - self._since
        if again >= MOST_RESTARTS and up < PROVEN_S:
            raise NotReadyError(f"started again {again} times within 10 minutes; ready once it has run for 2 minutes")
        return f"{again} within 10 minutes"

    async def end(self, *, orderly: bool) -> None:
        """Write no more. An orderly end is said, but not at any price, and does not count as one of many starts."""
        if orderly:
            said = asyncio.create_task(self._said())
            await asyncio.wait({said}, timeout=_STOP_WITHIN_S)
            await end_all((said,))
        await self._store.close()

    async def _said(self) -> None:
        with suppress(UnreachableError):
            await self._store.stop(self._process)


@asynccontextmanager
async def beating(writer: HeartbeatWriter) -> AsyncIterator[None]:
    """Write a heartbeat for as long as a block runs, and how it ended."""
    orderly = False
    try:
        async with running_beside("heartbeat", writer.run):
            yield
        orderly = True
    finally:
        await writer.end(orderly=orderly)
