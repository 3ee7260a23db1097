"""What is done to the installation while the job runs: kills, outages, joins and leaves."""

import asyncio
import random
from collections.abc import Sequence

from app.embedded.service import Service, start
from tests.faults.scenario import Harm, StackInjury
from tests.support.stack import Stack

KILLED = ("matcher", "executor-notification", "executor-crm", "executor-system", "sink", "scheduler")
SHARED = ("matcher", "executor-notification", "executor-crm", "executor-system", "sink")


def kill_each(times: int, roles: Sequence[str] = KILLED, *, kept: bool = False) -> StackInjury:
    """Kill -9 every role ``times`` times at random moments, and start it again at once; ``kept``: others do that."""

    async def injure(stack: Stack, chance: random.Random, seconds: float) -> Harm:
        plan = sorted((chance.uniform(0.05, 0.95) * seconds, role) for role in roles for _ in range(times))
        clock = asyncio.get_running_loop().time
        started, harm = clock(), Harm()
        for moment, role in plan:
            await asyncio.sleep(max(0.0, started + moment - clock()))
            worker = stack.worker(role)
            harm.by_role[role] += worker.pid is not None  # one that somebody else starts again may be on its way
            worker.kill()
            if not kept:
                worker.start()
        harm.over_at = clock()
        return harm

    return injure


def outage(service: Service, seconds_down: float) -> StackInjury:
    """Stop a server a third of the way, start it again after ``seconds_down``."""

    async def injure(_: Stack, __: random.Random, seconds: float) -> Harm:
        await asyncio.sleep(seconds / 3)
        await asyncio.to_thread(service.stop)
        await asyncio.sleep(seconds_down)
        start(service)
        return Harm(over_at=asyncio.get_running_loop().time())

    return injure


async def join_and_leave(stack: Stack, _: random.Random, seconds: float) -> Harm:
    """Let a second worker of each role join a quarter of the way, and leave by SIGTERM at the half."""
    await asyncio.sleep(seconds / 4)
    joined = [stack.add(role) for role in SHARED]
    await stack.ready()
    await asyncio.sleep(seconds / 4)
    await asyncio.gather(*(worker.stop() for worker in joined))
    for worker in joined:
        stack.workers.remove(worker)
    return Harm(over_at=asyncio.get_running_loop().time())
