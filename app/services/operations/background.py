"""The background tasks of a process: none ends unseen, none stays ended, and one that fails ends no other.

What a task raises, or that it returns although it should run for ever, is logged and counted by the task's name, and
the task is started again after a pause. An outage is said alone: what the process stands on is asked by itself. A task
whose work is in pieces reports a piece that failed by :func:`note_failure`, and goes on with the others. Readiness sees
both for a while.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from app.domain.backoff import Backoff
from app.domain.errors import HeadraceError, UnreachableError
from app.metrics.process import BACKGROUND_FAILING, BACKGROUND_FAILURES

FAILING_FOR_S: Final = 60.0
_LONGEST_DELAY_S: Final = 30.0
_CANCEL_AGAIN_S: Final = 2.0

log = logging.getLogger(__name__)


Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class TaskReturnedError(HeadraceError):
    """A background task came to an end, which it should not have."""


class Failures:
    """What has failed of late, by task.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, tuple[float, str]] = {}

    def note(self, task: str, error: BaseException, what: str = "", **ids: object) -> None:
        """Log and count a failure; ``what`` says which piece failed, ``ids`` name it, both for the log only."""
        BACKGROUND_FAILURES.labels(task).inc()
        if task not in self._last:
            BACKGROUND_FAILING.labels(task).set_function(lambda: float(task in self.failing()))
        # The text of a foreign error may quote anything; the log has it, the answer about readiness does not.
        self._last[task] = (self._clock(), str(error) if isinstance(error, HeadraceError) else type(error).__name__)
        said = f": {what}" if what else ""
        log.error("%s failed%s", task, said, exc_info=error, extra={"task": task, **ids})

    def failing(self) -> Mapping[str, str]:
        """Return the tasks in which something failed within the last minute, and what."""
        since = self._clock() - FAILING_FOR_S
        return {task: said for task, (at, said) in self._last.items() if at > since}


PROCESS: Final = Failures()


def note_failure(task: str, error: BaseException, what: str = "", **ids: object) -> None:
    """Log and count a failure in this process; see :meth:`Failures.note`."""
    PROCESS.note(task, error, what, **ids)


def failing() -> Mapping[str, str]:
    """Return this process's tasks in which something failed within the last minute, and what."""
    return PROCESS.failing()


async def keep_running(
    task: str,
    run: Callable[[], Awaitable[None]],
    *,
    failures: Failures = PROCESS,
    clock: Clock = time.monotonic,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Run something that has no end until cancelled; start it again after any exception.

    Args:
        task: Its name, of a small set: it is a metric's label.
        run: Starts the task.
        failures: Where its failures are noted.
        clock: Seconds, monotonic.
        sleep: Waits some seconds.
    """
    backoff = Backoff(longest=_LONGEST_DELAY_S)
    while True:
        started = clock()
        try:
            await run()
        except asyncio.CancelledError as error:
            # Of something that it waited for, unless we are to end ourselves.
            current = asyncio.current_task()
            if current is None or current.cancelling():
                raise
            failures.note(task, error)
        except UnreachableError as error:
            log.warning("%s is interrupted", task, extra={"task": task, "why": str(error)})
        except Exception as error:  # noqa: BLE001 - noted with its traceback
            failures.note(task, error)
        else:
            failures.note(task, TaskReturnedError("it has come to an end, and is started again"))
        await sleep(backoff.after_death(clock() - started))


@asynccontextmanager
async def running_beside(task: str, run: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Keep something running for as long as the block does."""
    keeper = asyncio.create_task(keep_running(task, run), name=task)
    try:
        yield
    finally:
        await end_all((keeper,))


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until each has ended.

    Once is not enough: ``asyncio.wait_for`` of Python 3.11, with which psycopg waits, loses a cancellation that comes
    as what it waits for is done, and the task goes on for ever.
    """
    every = tuple(tasks)
    left = set(every)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_CANCEL_AGAIN_S)
    await asyncio.gather(*every, return_exceptions=True)
