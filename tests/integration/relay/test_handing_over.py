"""Schedulers as processes on real Kafka and Postgres: the holder is killed, and nothing is lost."""

from contextlib import AsyncExitStack
from itertools import count, pairwise
from time import monotonic

from aiokafka import AIOKafkaConsumer

from app.adapters.kafka.admin import ensure_topics
from app.domain.kafka_connection import KafkaConnection
from app.topics import TopicSpec
from tests.integration.relay import outbox_rows as outbox
from tests.integration.relay.schedulers import environment, scheduler, until_said
from tests.support.deadlines import scaled
from tests.support.waiting import eventually, in_time


async def read_all(kafka: str, topic: str) -> list[int]:
    """Every value on the topic's one partition, in order."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        (partition,) = consumer.assignment()
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[int] = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += [int(record.value) for record in records]
        return found
    finally:
        await consumer.stop()


def steps_back(numbers: list[int]) -> int:
    """How often a number is followed by a smaller one or itself."""
    return sum(after <= before for before, after in pairwise(numbers))


async def test_kill_minus_nine_of_the_holder_loses_nothing(database: str, kafka: str, topic_prefix: str) -> None:
    """Three times the relay is killed while rows flow: every row arrives, in order but for what is sent again."""
    topic = f"{topic_prefix}out"
    await ensure_topics(KafkaConnection(kafka), [TopicSpec(topic, 1)], replication_factor=1)
    settings = environment(database, kafka, topic_prefix)
    numbers, kills, gaps = count(), 3, []

    async def write(rows: int) -> None:
        await outbox.put_now(database, topic, *(b"%d" % next(numbers) for _ in range(rows)))

    async def holder() -> str:
        return (await eventually(lambda: outbox.holders(database), within=20))[0][1]

    async with AsyncExitStack() as stack:
        running = {f"headrace relay {i}": await stack.enter_async_context(scheduler(settings, i)) for i in "ab"}
        for kill in range(kills):
            victim = await holder()
            await write(400)
            running.pop(victim).kill()
            killed_at = monotonic()
            await eventually(lambda victim=victim: next_holder(database, victim), within=20)  # type: ignore[misc]
            gaps.append(monotonic() - killed_at)
            await write(200)
            instance = f"c{kill}"
            running[f"headrace relay {instance}"] = await stack.enter_async_context(scheduler(settings, instance))
        await eventually(lambda: empty(database), within=20)
    received = await read_all(kafka, topic)
    assert set(received) == set(range(next(numbers)))
    assert steps_back(received) <= kills
    print(f"taken over after {', '.join(f'{gap * 1000:.0f} ms' for gap in gaps)}")  # noqa: T201 - the figure
    assert max(gaps) < scaled(3)


async def next_holder(database: str, victim: str) -> bool:
    """Whether somebody else holds the lock."""
    return any(name != victim for _, name in await outbox.holders(database))


async def empty(database: str) -> bool:
    """Whether the outbox is empty."""
    return await outbox.waiting(database) == 0


async def test_sigterm_ends_a_scheduler_at_once(database: str, kafka: str, topic_prefix: str) -> None:
    """A scheduler that leads or waits ends on SIGTERM with exit code 0."""
    settings = environment(database, kafka, topic_prefix)
    async with scheduler(settings, "a"):
        await eventually(lambda: outbox.holders(database), within=20)
        async with scheduler(settings, "b") as waiting:
            started = monotonic()
            waiting.terminate()
            assert await in_time(waiting.wait(), 30, what="the end of the one that waits") == 0
        assert monotonic() - started < scaled(5)


async def test_a_scheduler_starts_before_its_servers(database: str, kafka: str, topic_prefix: str) -> None:
    """Without Kafka it waits: it does not end, and listens to SIGTERM."""
    settings = {**environment(database, kafka, topic_prefix), "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    async with scheduler(settings, "a") as process:
        assert process.stderr is not None
        await until_said(process.stderr, b"Kafka does not answer")


async def test_a_scheduler_keeps_the_tables_up(database: str, kafka: str, topic_prefix: str) -> None:
    """The maintenance runs at once, and a round that fails does not end the relay."""
    async with await outbox.connect(database) as connection:
        await connection.execute("ALTER TABLE receipts RENAME TO not_there")
    async with scheduler(environment(database, kafka, topic_prefix), "a") as process:
        assert process.stderr is not None
        await until_said(process.stderr, b"maintenance failed")
        await ensure_topics(KafkaConnection(kafka), [TopicSpec(f"{topic_prefix}out", 1)], replication_factor=1)
        await outbox.put_now(database, f"{topic_prefix}out", b"1")
        await eventually(lambda: empty(database), within=20)
    assert await partitions(database) >= 8


async def partitions(database: str) -> int:
    """How many partitions the log has."""
    async with await outbox.connect(database) as connection:
        query = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'automation_logs'::regclass"
        row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return int(row[0])
