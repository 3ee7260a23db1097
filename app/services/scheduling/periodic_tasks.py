"""Periodic tasks: one that fails is logged, counted and tried again soon, and never ends its neighbours."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from app.domain.errors import UnreachableError
from app.metrics.scheduler import UPKEEP_ROUNDS, UPKEEP_SUCCESS
from app.services.operations.background import note_failure
from app.services.operations.outages import Outage

_TRY_AGAIN_S: Final = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Something to do every so often.

    Attributes:
        name: The task's name, for logs and metrics.
        round: Does it once; it may raise any exception.
        every_s: Seconds between the end of a good round and the next.
        try_again_s: Seconds after a failed one.
    """

    name: str
    round: Callable[[], Awaitable[None]]
    every_s: float
    try_again_s: float = _TRY_AGAIN_S


async def run_periodically(task: PeriodicTask) -> None:
    """Do a task at once and then for ever, until cancelled."""
    outage = Outage(task.name, log)
    while True:
        good = await _round(task, outage)
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            # On Python 3.11 a library's wait_for can lose a cancellation; the sleep would outlast the process's end.
            raise asyncio.CancelledError
        await asyncio.sleep(task.every_s if good else task.try_again_s)


async def _round(task: PeriodicTask, outage: Outage) -> bool:
    try:
        await task.round()
    except UnreachableError as error:
        UPKEEP_ROUNDS.labels(task.name, "failed").inc()
        outage.failed(error)
        return False
    except Exception as error:  # noqa: BLE001 - noted with its traceback
        UPKEEP_ROUNDS.labels(task.name, "failed").inc()
        note_failure(task.name, error, f"again in {task.try_again_s:.0f} s")
        return False
    outage.served()
    UPKEEP_ROUNDS.labels(task.name, "good").inc()
    UPKEEP_SUCCESS.labels(task.name).set_to_current_time()
    return True
