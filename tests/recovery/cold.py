"""How soon a cold matcher works that has ten thousand active workflows to learn.

Events of many entities lie in Kafka while no matcher runs. Then it is started; it works once the first row of each
partition's events is in the log: until then it has started Python, joined its group, read every workflow and matched.
What that took of a core is told beside it: on a machine that others keep busy it is what carries over.
"""

import time
from typing import Any, Final
from uuid import UUID

import psutil
import psycopg

from tests.benchmarks.measure import Rows, Sent
from tests.benchmarks.product import Job, ProductContender
from tests.benchmarks.progress import say
from tests.benchmarks.sending import send
from tests.support.servers import Servers
from tests.support.waiting import eventually
from tests.support.worker_process import WorkerProcess

_EVENTS: Final = 64  # of as many entities or nearly: over all partitions
_WITHIN_S: Final = 120.0


async def cold(on: Servers, url: str, *, workflows: int, times: int) -> dict[str, Any]:
    """Return how many seconds each cold start took.

    Args:
        on: Broker and Postgres.
        url: Where webhooks go.
        workflows: How many are active beside the one whose events come.
        times: How often it is tried; the first with SIGTERM, then with kill -9, in turns.
    """
    contender = ProductContender(on, url, job=Job(others=workflows))
    say(f"cold start: making {workflows} workflows")
    await contender.start()
    took: list[float] = []
    cpu: list[float] = []
    try:
        async with await psycopg.AsyncConnection.connect(contender.database_url, autocommit=True) as connection:
            rows, matcher = Rows(connection), contender.stack.worker("matcher")
            for number in range(times):
                if number % 2:
                    matcher.kill()
                else:
                    await matcher.stop()
                sent = await send(on.bootstrap, contender.topic, _EVENTS, 0.0)
                began = time.time()
                matcher.start()
                took.append(round(await _last_row(rows, contender.workflow, sent) - began, 2))
                cpu.append(_cpu_s(matcher))
                say(f"cold start {number + 1} of {times}: {took[-1]} s, {cpu[-1]} s of a core")
    finally:
        await contender.stop()
    return {"workflows": workflows, "took_s": took, "cpu_s": cpu, "worst_s": max(took)}


def _cpu_s(worker: WorkerProcess) -> float:
    """Return what the process has taken of a core since it began."""
    times = psutil.Process(worker.pid).cpu_times()
    return round(times.user + times.system, 2)


async def _last_row(rows: Rows, workflow: UUID, sent: Sent) -> float:
    """Return when the last of them was committed."""
    ids = sent.ids(workflow)

    async def all_there() -> bool:
        return await rows.count(ids) == len(ids)

    await eventually(all_there, within=_WITHIN_S, every=0.05, what="the rows of what came before the start")
    return max(await rows.committed(ids))
