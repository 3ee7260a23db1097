"""The workflow table on a real broker: every change reaches every table, and no event is matched before its time."""

from collections.abc import AsyncIterator
from functools import partial
from itertools import count
from pathlib import Path
from time import time
from uuid import UUID

import orjson
import pytest

from app.adapters.kafka.admin import ensure_topics
from app.adapters.kafka.producer import KafkaSender
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record
from app.settings import Settings
from app.topics import Topics, declare
from schemas.workflow import Revision
from tests.support.deadlines import scaled
from tests.support.waiting import eventually
from tests.tables.revisions import revision, workflow_id
from tests.tables.workers import TableWorker, Workers, workers_on

COMPLETE = "the workflow table is complete"
Change = tuple[str, int | None]


@pytest.fixture
async def topics(kafka: str, topic_prefix: str) -> Topics:
    """This test's topics, made."""
    settings = Settings(topic_prefix=topic_prefix, events_partitions=4, actions_partitions=1)
    await ensure_topics(KafkaConnection(kafka), declare(settings, []), replication_factor=1)
    return Topics(topic_prefix)


@pytest.fixture
async def workers(kafka: str, topics: Topics, tmp_path: Path) -> AsyncIterator[Workers]:
    """A starter of workers on this test's topics."""
    async with workers_on(kafka, topics.prefix, tmp_path) as starter:
        yield starter


class Changelog:
    """Writes to the changelog as the relay does, and remembers when."""

    def __init__(self, sender: KafkaSender, topics: Topics) -> None:
        self._sender = sender
        self._topic = topics.workflows_changelog
        self.sent: dict[Change, float] = {}

    async def write(self, *revisions: Revision) -> None:
        """Write revisions."""
        await self._sender.send_all([Record(self._topic, str(r.id).encode(), r.encode()) for r in revisions])
        self.sent |= dict.fromkeys(((str(r.id), r.version) for r in revisions), time())

    async def bury(self, workflow: UUID) -> None:
        """Write a tombstone."""
        await self._sender.send(Record(self._topic, str(workflow).encode(), None))
        self.sent[str(workflow), None] = time()

    async def reached(self, worker: TableWorker, *, within: float = 15) -> None:
        """Wait until everything that was written took effect there."""
        effective: dict[Change, float] = {}

        def all_there() -> bool:
            effective.update(worker.effective_at())
            return self.sent.keys() <= effective.keys()

        try:
            await eventually(all_there, within=within)
        except AssertionError:
            missed = [change for change in self.sent if change not in effective]
            raise AssertionError(f"{len(missed)} of {len(self.sent)} missed: {missed[:5]} ... {missed[-5:]}") from None


@pytest.fixture
async def changelog(kafka: str, topics: Topics) -> AsyncIterator[Changelog]:
    """The writer of this test's changelog."""
    async with KafkaSender(KafkaConnection(kafka)) as sender:
        yield Changelog(sender, topics)


async def write_history(changelog: Changelog, versions: range) -> None:
    """Ten workflows, one revision a version each; every other one ends deleted, and every fourth with a tombstone."""
    for version in versions:
        await changelog.write(*(revision(number, version, active=bool(version % 3)) for number in range(10)))


async def end_history(changelog: Changelog, version: int) -> None:
    """Delete and bury; the last written is a tombstone."""
    await changelog.write(*(revision(number, version, deleted=True) for number in range(0, 10, 2)))
    for number in range(0, 10, 4):
        await changelog.bury(workflow_id(number))


async def complete(*workers: TableWorker) -> None:
    """Wait until the tables are recovered."""
    for worker in workers:
        await eventually(partial(worker.said, COMPLETE), within=40)


async def test_every_change_reaches_every_table(workers: Workers, changelog: Changelog) -> None:
    """Each update and tombstone is seen by each of three tables: an old one, a late one, and one killed on the way."""
    versions = count(1)

    def some(length: int) -> range:
        return range((start := next(versions) * 100), start + length)

    async def write_until(*ready: TableWorker) -> bool:
        await write_history(changelog, some(1))
        return all(worker.said(COMPLETE) for worker in ready)

    await write_history(changelog, some(5))
    old, doomed = await workers.start("old"), await workers.start("doomed")
    await complete(old, doomed)
    await write_history(changelog, some(20))
    await doomed.kill()
    await write_history(changelog, some(20))
    reborn, late = await workers.start("doomed"), await workers.start("late")
    await eventually(lambda: write_until(reborn, late), within=60, every=0.05)
    await end_history(changelog, next(versions) * 100)
    for worker in (old, reborn, late):
        await changelog.reached(worker)


async def test_a_change_takes_effect_in_milliseconds(workers: Workers, changelog: Changelog) -> None:
    """From the relay's produce to the table of two workers: half within 200 ms, all within a second."""
    pair = [await workers.start("1"), await workers.start("2")]
    await complete(*pair)
    for version in range(1, 101):
        await changelog.write(revision(0, version))
    for worker in pair:
        await changelog.reached(worker)
        effective = worker.effective_at()
        delays = sorted(effective[change] - sent for change, sent in changelog.sent.items())
        print(f"produce to table: p50 {delays[50] * 1000:.0f} ms, max {delays[-1] * 1000:.0f} ms")  # noqa: T201 - the figure is the point
        assert delays[50] < scaled(0.2)
        assert delays[-1] < scaled(1.0)


async def test_no_event_is_matched_before_the_table_is_complete(
    kafka: str, topics: Topics, workers: Workers, changelog: Changelog
) -> None:
    """An event that waits when a worker starts is matched against every workflow, not against those read so far."""
    await changelog.write(*(revision(number) for number in range(2000)))
    async with KafkaSender(KafkaConnection(kafka)) as sender:
        for number in range(20):
            value = orjson.dumps({"id": str(number), "type": "order.created"})
            await sender.send(Record(topics.events("order.created"), str(number).encode(), value))
    worker = await workers.start("1")
    await eventually(lambda: len(worker.events()) == 20, within=40)
    assert {len(matched) for matched in worker.events().values()} == {2000}


async def test_what_cannot_be_read_is_reported_and_the_rest_goes_on(
    kafka: str, topics: Topics, workers: Workers, changelog: Changelog
) -> None:
    """Garbage in the changelog is logged, and the changes around it take effect, on recovery and live."""
    garbage = (b"{", b"[]", b'{"id": 1}', b"\xff\xfe")

    async def spoil() -> None:
        async with KafkaSender(KafkaConnection(kafka)) as sender:
            for value in garbage:
                await sender.send(Record(topics.workflows_changelog, b"not a uuid", value))
            await sender.send(Record(topics.workflows_changelog, b"not a uuid", None))

    await changelog.write(revision(0))
    await spoil()
    await changelog.write(revision(1))
    worker = await workers.start("1")
    await complete(worker)
    await spoil()
    await changelog.write(revision(2))
    await changelog.reached(worker)
    assert worker.said("cannot be read")
