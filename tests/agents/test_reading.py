"""The loops that agents read by, on the broker in memory: what is acked, given back and left for the next worker."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence

from agents.reading import Agent, Source, run_batches, run_leased
from app.adapters.kafka.local_broker import LocalBroker, Place
from app.adapters.kafka.local_worker import LocalWorker
from app.domain.errors import UnreachableError
from app.domain.retry import RetryPolicy
from app.execution.guard import guarded
from app.execution.log_writing import stay_in_kafka
from app.execution.parts import Part
from app.ports import HttpAnswer, Record
from schemas.incoming import Incoming
from tests.execution.test_leased import HOOK, World
from tests.support.receipts import ReceiptStore
from tests.support.records import cloud_event
from tests.support.slips import action, command
from tests.support.waiting import eventually

TOPIC = "t.actions.webhook"


class Outlet:
    """Takes records, and says that they are durable when the test lets it.

    Attributes:
        values: What it was given.
        failure: What it raises, if anything.
    """

    def __init__(self) -> None:
        self.durable = asyncio.Event()
        self.values: list[bytes | None] = []
        self.failure: Exception | None = None

    async def send_all(self, records: Sequence[Record]) -> None:
        self.values += [record.value for record in records]
        await self.durable.wait()
        if self.failure is not None:
            raise self.failure


async def passed_on(records: Sequence[Incoming]) -> list[Record]:
    """Return a record for each."""
    return [Record("out", None, record.value) for record in records]


def by_batches(process: Callable[[Sequence[Incoming]], Awaitable[Sequence[Record]]], outlet: Outlet) -> Agent:
    """Return an agent that reads in batches."""

    async def agent(source: Source) -> None:
        await run_batches(source, guarded(process, stay_in_kafka), outlet)

    return agent


def broker(*values: bytes) -> LocalBroker:
    """Return a broker with the records on one partition."""
    made = LocalBroker()
    made.create_topic(TOPIC)
    for value in values:
        made.append(TOPIC, value, key=b"c1")
    return made


def worker(where: LocalBroker, agent: Agent) -> LocalWorker:
    """Return a worker that runs the agent."""
    made = LocalWorker(where, "group")
    made.add(agent, TOPIC)
    return made


def committed(where: LocalBroker) -> int | None:
    """Return what is committed."""
    return where.group("group").committed.get(Place(TOPIC, 0))


async def test_a_batch_is_acked_when_what_follows_is_durable() -> None:
    """Not when it was handed to the outlet."""
    one, outlet = broker(b"a", b"b"), Outlet()
    async with worker(one, by_batches(passed_on, outlet)):
        await eventually(lambda: outlet.values == [b"a", b"b"])
        assert committed(one) is None
        outlet.durable.set()
        await eventually(lambda: committed(one) == 2)


async def test_of_a_batch_only_what_has_begun_is_finished_when_its_partition_goes() -> None:
    """From a batch much may follow: what was not come to yet is dropped, and is the next worker's."""
    one, outlet = broker(b"a", b"b", b"c", b"d"), Outlet()
    seen: list[Incoming] = []
    sources: list[Source] = []

    async def one_by_one(records: Iterable[Incoming]) -> AsyncGenerator[Part]:
        for record in records:
            seen.append(record)
            yield Part([Record("out", None, record.value)], [record])

    async def agent(source: Source) -> None:
        sources.append(source)
        await run_batches(source, one_by_one, outlet)

    first = await worker(one, agent).__aenter__()
    await eventually(lambda: len(seen) == 2)
    leaving = asyncio.create_task(first.__aexit__(None, None, None))
    await eventually(lambda: sources[0].is_closing(seen[0]))
    outlet.durable.set()
    await leaving
    assert [record.value for record in seen] == outlet.values == [b"a", b"b"]
    assert committed(one) == 2
    async with worker(one, agent):
        await eventually(lambda: committed(one) == 4)
    assert outlet.values == [b"a", b"b", b"c", b"d"]


async def test_an_outlet_that_gives_up_ends_the_worker_unacked() -> None:
    """And the next worker has it again."""
    one, outlet = broker(b"a"), Outlet()
    outlet.failure = UnreachableError("Kafka is gone")
    outlet.durable.set()
    async with worker(one, by_batches(passed_on, outlet)) as first:
        await eventually(lambda: first.crash_reason is outlet.failure)
    assert committed(one) is None
    outlet.failure = None
    async with worker(one, by_batches(passed_on, outlet)):
        await eventually(lambda: committed(one) == 1)
    assert outlet.values == [b"a", b"a"]


async def test_what_is_raised_over_a_batch_ends_the_worker_unacked() -> None:
    """Only Kafka or Postgres failing gets so far."""
    one, gone = broker(b"a"), UnreachableError("Postgres is gone")

    async def fails(_: Sequence[Incoming]) -> list[Record]:
        raise gone

    async with worker(one, by_batches(fails, Outlet())) as first:
        await eventually(lambda: first.crash_reason is gone)
    assert committed(one) is None


def leased(world: World) -> Agent:
    """Return the agent of a lane."""

    async def agent(source: Source) -> None:
        await world.receipts.start()
        await run_leased(source, world.executor, slots=4)

    return agent


async def test_a_lanes_commands_are_carried_out_and_acked() -> None:
    """One POST a command, each execution ended, everything committed."""
    world = World(ReceiptStore())
    commands = [command(action("webhook", **HOOK), event=cloud_event(id=f"e-{number}")) for number in range(3)]
    one = broker(*(each.encode() for each in commands))
    async with worker(one, leased(world)):
        await eventually(lambda: committed(one) == 3)
    assert len(world.http.requests) == len(world.ended) == len({each.execution_id for each in commands})


async def test_a_command_that_waits_is_given_back_when_its_partition_goes() -> None:
    """The source tells the executor: a backoff ends at once, and the next owner carries the command out."""
    store = ReceiptStore()
    waiting = World(store, policy=RetryPolicy(max_retries=3, initial_delay=5, budget=60))
    waiting.http.answers = [HttpAnswer(503, {}, "")]
    following = World(store, instance="executor-system/2")
    one = broker(command(action("webhook", **HOOK)).encode())
    async with worker(one, leased(waiting)):
        await eventually(lambda: waiting.http.requests)
    assert committed(one) is None
    assert not waiting.ended
    async with worker(one, leased(following)):
        await eventually(lambda: committed(one) == 1)
    assert following.ended[0].status == "success"
