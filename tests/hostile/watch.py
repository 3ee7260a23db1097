"""Keeps the roles running as ``make up`` does, counts how often each had to be started again, and looks at memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from app.embedded.supervisor import Supervisor
from tests.benchmarks.usage import resident_mb
from tests.support.stack import Stack
from tests.support.worker_process import WorkerProcess

_LOOK_EVERY_S: Final = 0.5
_GROWTH: Final = 1.25
_SLACK_MB: Final = 64.0  # what a backlog after a kill, read in large batches, takes for a while


class _Kept:
    """A worker as the supervisor sees it."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker
        self.name = worker.role

    @property
    def pid(self) -> int | None:
        return self._worker.pid

    def spawn(self) -> None:
        self._worker.start()

    def alive(self) -> bool:
        return self._worker.pid is not None

    def stop(self) -> None:
        """Leave it to its stack."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Peaks of a role's resident memory in MiB: in the first third of the run, the last, and all of it."""

    first: float
    last: float
    peak: float

    @property
    def flat(self) -> bool:
        """Tell whether it did not grow."""
        return self.last <= self.first * _GROWTH + _SLACK_MB


@dataclass(slots=True)
class Watch:
    """What is seen of the roles while they run.

    Attributes:
        restarts: By role.
        looks: Seconds of the clock, role, MiB.
    """

    restarts: Mapping[str, int]
    looks: list[tuple[float, str, float]] = field(default_factory=list)

    def memory(self) -> dict[str, Memory]:
        """Return each role's peaks."""
        if not self.looks:
            return {}
        begin, end = self.looks[0][0], self.looks[-1][0]
        third = (end - begin) / 3
        return {
            role: Memory(
                self._peak(role, begin, begin + third), self._peak(role, end - third, end), self._peak(role, begin, end)
            )
            for role in sorted({role for _, role, _ in self.looks})
        }

    def _peak(self, role: str, begin: float, end: float) -> float:
        return round(max((mb for at, one, mb in self.looks if one == role and begin <= at <= end), default=0.0), 1)


@asynccontextmanager
async def watching(stack: Stack) -> AsyncIterator[Watch]:
    """Keep and look until the end."""
    supervisor = Supervisor(lambda _: None)
    supervisor.keep([_Kept(worker) for worker in stack.workers])
    watch = Watch(supervisor.restarts)
    looking = asyncio.create_task(_look(watch, stack.workers))
    try:
        yield watch
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await supervisor.stop()


async def _look(watch: Watch, workers: Iterable[Any]) -> None:
    while True:
        for worker in workers:
            if worker.pid is not None:
                watch.looks.append((time.monotonic(), worker.role, resident_mb(worker.pid)))
        await asyncio.sleep(_LOOK_EVERY_S)
