"""The ceiling: the benchmark's job as one hand-written aiokafka process, with the claims and the log of the product.

Three stages work at once on three batches: claim; post; finish. Each takes its batches in order, so an entity's
effects stay in order; a batch is what has arrived. Offsets are committed once the rows are durable, beside the work.
"""

import argparse
import asyncio
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import psycopg
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.benchmarks.ceiling_http import CONNECTIONS, Post, open_poster
from tests.benchmarks.ceiling_job import TAG, Job, read_job, result
from tests.benchmarks.ceiling_store import Store

_BATCH: Final = 500
# A plan made while a table was empty must not scan it when it has grown; the product's workers say the same.
_PLANS: Final = "-c jit=off -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"


@dataclass(slots=True)
class Batch:
    """What one fetch brought: jobs, those to be posted, and what to commit afterwards."""

    jobs: list[Job]
    offsets: dict[TopicPartition, int]
    to_post: list[Job]


class Ceiling:
    """The process."""

    def __init__(self, workflow: UUID, url: str, consumer: AIOKafkaConsumer, store: Store, post: Post) -> None:
        self._workflow = workflow
        self._url = url
        self._consumer = consumer
        self._store = store
        self._post = post
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._posting = asyncio.Lock()
        self._finishing = asyncio.Lock()
        self._offsets: dict[TopicPartition, int] = {}
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as stages:
            stages.create_task(self._commit())
            while True:
                batch = await self._claim()
                # Nothing more is fetched until the batch ahead has moved on: what waits, waits in Kafka, and is then
                # one batch. Locks are first-come, so batches stay in order.
                await self._posting.acquire()
                stages.create_task(self._carry_out(batch))

    async def _claim(self) -> Batch:
        fetched: dict[TopicPartition, list[Any]] = {}
        while not fetched:
            fetched = await self._consumer.getmany(timeout_ms=1000, max_records=_BATCH)
        now = datetime.now(UTC)
        values = (record.value for records in fetched.values() for record in records)
        # The same event twice in one batch is one job.
        read = (read_job(self._workflow, value, now) for value in values)
        jobs = list({job.execution_id: job for job in read if job is not None}.values())
        to_post = await self._store.claim([job for job in jobs if job.met])
        return Batch(jobs, {place: records[-1].offset + 1 for place, records in fetched.items()}, to_post)

    async def _carry_out(self, batch: Batch) -> None:
        """Post and finish; holds the posting stage, which its caller took."""
        try:
            chains: defaultdict[str, list[Job]] = defaultdict(list)
            for job in batch.to_post:
                chains[job.customer].append(job)
            await asyncio.gather(*map(self._post_chain, chains.values()))
            await self._finishing.acquire()
        finally:
            self._posting.release()
        try:
            await self._store.finish(self._workflow, batch.to_post, batch.jobs)
        finally:
            self._finishing.release()
        self._offsets |= batch.offsets
        self._moved.set()

    async def _commit(self) -> None:
        """Commit what is durable, as often as the broker answers."""
        while True:
            await self._moved.wait()
            self._moved.clear()
            await self._consumer.commit(dict(self._offsets))

    async def _post_chain(self, jobs: Sequence[Job]) -> None:
        async with self._slots:
            for job in jobs:
                await self._post_one(job)

    async def _post_one(self, job: Job) -> None:
        started = datetime.now(UTC)
        status = await self._post(self._url, job.body, str(job.webhook_id))
        output = {"status": status, "uncertain": job.uncertain}
        job.results.append(result(0, "webhook", output, started, ok=200 <= status < 300))
        job.results.append(result(1, "apply_tag", {"tag": TAG}, started, ok=True))


async def work(given: argparse.Namespace) -> None:
    """Connect everything and run."""
    consumer = AIOKafkaConsumer(
        given.topic,
        bootstrap_servers=given.bootstrap,
        group_id=given.topic,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=45_000,
        max_poll_records=_BATCH,
    )
    url: str = os.environ["DATABASE_URL"]
    connections: list[psycopg.AsyncConnection[Any]] = [
        await psycopg.AsyncConnection.connect(url, autocommit=True, options=_PLANS) for _ in range(2)
    ]
    async with open_poster() as post:
        await consumer.start()
        try:
            store = Store(connections[0], connections[1], f"ceiling/{os.getpid()}")
            await Ceiling(UUID(given.workflow), given.url, consumer, store, post).run()
        finally:
            await consumer.stop()


def main() -> None:
    """Read the arguments and work."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--bootstrap", "--topic", "--workflow", "--url"):
        parser.add_argument(name, required=True)
    uvloop.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
