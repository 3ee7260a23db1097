"""What makes each alert fire on the real installation, and what mends it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from app.adapters.kafka.admin import ensure_topics
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record
from app.topics import TopicSpec
from tests.integration.poison import produce
from tests.observe.ground import Ground
from tests.support.api import ApiError
from tests.support.faulty_worker import mark
from tests.support.waiting import eventually

Cause = Callable[[Ground], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def slow_executions(ground: Ground) -> AsyncIterator[None]:
    """A destination answers late, in time but three times in a row: executions take over ten seconds."""
    ground.receiver.behaviour.delay_s = 4.2
    await ground.emit("slow", 12)
    await ground.ran("slow", 12)
    try:
        yield
    finally:
        ground.receiver.behaviour.delay_s = 0.0
        await ground.emit("good", 200)


@asynccontextmanager
async def failing_executions(ground: Ground) -> AsyncIterator[None]:
    """A destination refuses what it is sent: over a tenth of the executions fail."""
    ground.receiver.behaviour.status = 400
    await ground.emit("failing", 60)
    await ground.ran("failing", 60)
    try:
        yield
    finally:
        ground.receiver.behaviour.status = 200
        await ground.emit("tags", 800)


@asynccontextmanager
async def stuck_partition(ground: Ground) -> AsyncIterator[None]:
    """Attempts run into their timeout: the record stays in work, and nothing behind it is committed."""
    ground.receiver.behaviour.delay_s = 6.0
    await ground.emit("failing", 1)
    try:
        yield
    finally:
        ground.receiver.behaviour.delay_s = 0.0
        await ground.emit("tags", 100)


@asynccontextmanager
async def open_breaker(ground: Ground) -> AsyncIterator[None]:
    """A destination fails again and again, and is left alone until it serves."""
    ground.receiver.behaviour.status = 500
    await ground.emit("failing", 12)
    try:
        yield
    finally:
        ground.receiver.behaviour.status = 200


@asynccontextmanager
async def a_role_stops(ground: Ground) -> AsyncIterator[None]:
    """The sink is stopped while work comes in: nobody is there, the queue grows and is deep."""
    sink = ground.stack.worker("sink")
    await sink.stop()
    await ground.emit("tags", 1300)
    try:
        yield
    finally:
        sink.start()


@asynccontextmanager
async def a_record_kills(ground: Ground) -> AsyncIterator[None]:
    """A record that its process dies of, which is started again each time, among records that take a while."""
    ground.receiver.behaviour.delay_s = 3.5
    await ground.emit("failing", 200)
    await ground.emit("failing", 1, word=mark("executor-system", "exit"))
    keeper = asyncio.create_task(_kept_alive(ground, "executor-system"))
    try:
        yield
    finally:
        ground.receiver.behaviour.delay_s = 0.0
        await eventually(lambda: _condemned(ground), within=150, every=0.5, what="the record's dead letter")
        keeper.cancel()
        # Ten minutes pass, as far as the starts are concerned.
        await ground.sql("UPDATE heartbeats SET starts = '{}' WHERE role = 'executor-system'")


async def _kept_alive(ground: Ground, role: str) -> None:
    worker = ground.stack.worker(role)
    while True:
        if worker.pid is None:
            worker.start()
        await asyncio.sleep(0.3)


async def _condemned(ground: Ground) -> bool:
    return bool(await ground.sql("SELECT id FROM dead_letters WHERE reason = 'crashes'"))


@asynccontextmanager
async def poison(ground: Ground) -> AsyncIterator[None]:
    """Records that are no JSON come in with the events."""
    topic = ground.stack.topics.events("order.paid")
    await produce(ground.stack.bootstrap, [Record(topic, uuid4().hex.encode(), b"{not json") for _ in range(3)], 0)
    yield


@asynccontextmanager
async def a_blind_matcher(ground: Ground) -> AsyncIterator[None]:
    """The matcher may not read the workflows any more, and cannot compare its table."""
    await ground.sql("REVOKE SELECT (id, version, tombstoned_at) ON automations FROM headrace_matcher")
    try:
        yield
    finally:
        await ground.sql("GRANT SELECT (id, version, tombstoned_at) ON automations TO headrace_matcher")


@asynccontextmanager
async def a_changed_table(ground: Ground) -> AsyncIterator[None]:
    """A table is not as the code knows it, as after a migration by hand: the API fails on it."""
    await ground.sql("ALTER TABLE message_templates RENAME COLUMN text TO texts")
    try:
        for _ in range(3):
            with suppress(ApiError):
                await ground.stack.api.call("GET", "/api/v1/message-templates")
        yield
    finally:
        await ground.sql("ALTER TABLE message_templates RENAME COLUMN texts TO text")


@asynccontextmanager
async def a_locked_outbox(ground: Ground) -> AsyncIterator[None]:
    """A session of somebody else's holds a row of the outbox: the relay sends it, and waits to take it out."""
    topic = f"{ground.stack.topics.prefix}observed"
    await ensure_topics(KafkaConnection(ground.stack.bootstrap), [TopicSpec(topic, 1)], replication_factor=1)
    put = "INSERT INTO outbox (topic, key, value, set_aside, error) VALUES (%s, 'k', '{}', 'refused', 'x') RETURNING id"
    ((row,),) = await ground.sql(put, topic)
    async with ground.another() as other, other.transaction():
        # A lock that lets others change the row, and lets nobody delete it.
        await other.execute("SELECT FROM outbox WHERE id = %s FOR KEY SHARE", (row,))
        await ground.sql("UPDATE outbox SET set_aside = NULL, error = NULL, created_at = now() WHERE id = %s", row)
        yield


@asynccontextmanager
async def a_missing_topic(ground: Ground) -> AsyncIterator[None]:
    """Something is to be sent to a topic that there is not."""
    await ground.sql("INSERT INTO outbox (topic, key, value) VALUES ('nowhere.at.all', 'k', '{}')")
    try:
        yield
    finally:
        await ground.sql("DELETE FROM outbox WHERE topic = 'nowhere.at.all'")


@asynccontextmanager
async def a_stolen_lease(ground: Ground) -> AsyncIterator[None]:
    """Somebody else takes an effect's lease in its making, and settles it without saying that it may be a second."""
    await ground.emit("good", 7)  # of which one has a result that can be put in place of another's
    await ground.ran("good", 1)
    ground.receiver.behaviour.delay_s = 3.0
    await ground.emit("good", 7)
    steal = """
    UPDATE receipts SET instance = 'somebody/else', incarnation = 0, lease_until = now() + interval '8 s'
    WHERE state = 1 RETURNING command_id
    """
    settle = """
    UPDATE receipts SET state = 2, lease_until = NULL,
      result = (SELECT result FROM receipts WHERE state = 2 AND result ->> 'status' = 'success' LIMIT 1)
    WHERE state = 1 AND instance = 'somebody/else'
    """
    await eventually(lambda: ground.sql(steal), within=30, every=0.3, what="an effect in the making")
    await eventually(lambda: _lease_lost(ground), within=30, every=0.3, what="a lease that is lost")
    await ground.sql(settle)
    ground.receiver.behaviour.delay_s = 0.0
    yield


async def _lease_lost(ground: Ground) -> bool:
    told = await ground.prometheus.ask("query", query="sum(headrace_leases_lost_total) > 0")
    return bool(told["result"])


@dataclass(frozen=True, slots=True)
class Trial:
    """A cause, and the alerts that it makes fire."""

    cause: Cause
    alerts: tuple[str, ...]


# What needs few executions in the last five minutes comes first.
TRIALS = {
    "slow": Trial(slow_executions, ("ExecutionTime",)),
    "failing": Trial(failing_executions, ("ExecutionFailureRate",)),
    "stuck": Trial(stuck_partition, ("PartitionStuck",)),
    "breaker": Trial(open_breaker, ("BreakerOpen",)),
    "down": Trial(a_role_stops, ("RoleDown", "QueueDepth", "LagGrowing")),
    "poison": Trial(poison, ("DeadLetters",)),
    "blind": Trial(a_blind_matcher, ("WorkflowTableStale",)),
    "changed": Trial(a_changed_table, ("InternalErrors",)),
    "outbox": Trial(a_locked_outbox, ("OutboxOld",)),
    "aside": Trial(a_missing_topic, ("RecordsSetAside",)),
    "lease": Trial(a_stolen_lease, ("UnexpectedDuplicates",)),
    "crashes": Trial(a_record_kills, ("ProcessDied", "CrashLoop", "PartitionOnTrial")),
}
