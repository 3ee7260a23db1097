"""Processes that stand still, and processes that are restarted one after the other."""

import asyncio
import signal

from tests.faults.scenario import SHARED, Harm, Injury, Place, now, over
from tests.support.stack import ROLES
from tests.support.worker_process import WorkerProcess


async def freeze(worker: WorkerProcess, begins_in: float, seconds: float) -> None:
    """SIGSTOP a process for a while."""
    await asyncio.sleep(begins_in)
    worker.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        worker.signal(signal.SIGCONT)


def freeze_each(seconds: float) -> Injury:
    """SIGSTOP every role for ``seconds``, begun one after the other in an order by chance; several at a time."""

    async def injure(place: Place) -> Harm:
        roles = place.chance.sample(ROLES, len(ROLES))
        apart = max(0.0, (0.9 * place.seconds - seconds) / len(roles))
        await asyncio.gather(
            *(freeze(place.stack.worker(role), (1 + place_of) * apart, seconds) for place_of, role in enumerate(roles))
        )
        return over()

    return injure


def freeze_the_first(seconds: float) -> Injury:
    """SIGSTOP one of two workers of each role, nearly at once, and longer than its lease and its group's patience."""

    async def injure(place: Place) -> Harm:
        await asyncio.sleep(place.seconds / 10)
        first = [place.stack.worker(role) for role in (*SHARED, "scheduler")]
        await asyncio.gather(*(freeze(worker, place.chance.uniform(0, 3), seconds) for worker in first))
        return over()

    return injure


def rolling(times: int) -> Injury:
    """End every process by SIGTERM and start it again, one by one, each when the one before is ready."""

    async def injure(place: Place) -> Harm:
        began = now()
        for turn in range(times):
            await place.until(0.05 + turn * 0.9 / times, began)
            for worker in place.chance.sample(place.stack.workers, len(place.stack.workers)):
                await worker.stop()
                worker.start()
                await place.stack.ready()
        return over()

    return injure
