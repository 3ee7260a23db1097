"""What Kafka does not take of the outbox is set aside with its error, survives the relay, and holds nobody up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from app.adapters.postgres.outbox import PostgresOutbox
from app.execution.routing import Router
from app.ports import Record, Refusal
from app.ports.outbox import BATCH_BYTES, Bounds
from app.services.delivery.relay import Relay
from app.topics import MAX_RECORD_BYTES, Topics
from schemas.execution import Execution
from tests.integration.relay import outbox_rows as outbox
from tests.support.sender import MemorySender
from tests.support.slips import action, command
from tests.support.waiting import eventually

ROUTER = Router(Topics("t."), frozenset({"webhook"}))


@asynccontextmanager
async def relaying(database: str, sender: MemorySender) -> AsyncIterator[None]:
    """Run a relay that looks for missing topics often."""
    task = asyncio.create_task(
        Relay(PostgresOutbox(database), sender, instead=ROUTER.refused, poll_s=0.1, retry_s=0.1).run()
    )
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def aside(database: str) -> list[tuple[Any, ...]]:
    """Value, reason and error of the rows that are set aside, in order."""
    query = "SELECT value, set_aside, error FROM outbox WHERE set_aside IS NOT NULL ORDER BY id"
    async with await outbox.connect(database) as connection:
        return await (await connection.execute(query)).fetchall()


def sent(sender: MemorySender, topic: str) -> list[bytes | None]:
    """What was sent to a topic, in order."""
    return [record.value for record in sender.on(topic)]


async def test_a_topic_that_does_not_exist_holds_nobody_up(database: str) -> None:
    """Rows for it are set aside with the error; those before and after them, workflow changes too, are sent."""
    sender = MemorySender(frozenset({"workflows"}))
    await outbox.put_now(database, "workflows", b"1")
    await outbox.put_now(database, "nowhere", b"a", b"b")
    async with relaying(database, sender):
        await outbox.put_now(database, "workflows", b"2")
        await eventually(lambda: sent(sender, "workflows") == [b"1", b"2"])
        await eventually(lambda: outbox_is(database, 2))
    assert [row[:2] for row in await aside(database)] == [(b"a", "no_topic"), (b"b", "no_topic")]
    assert (await aside(database))[0][2] == "the topic does not exist"


async def outbox_is(database: str, count: int) -> bool:
    """Whether so many rows are left, all set aside."""
    return await outbox.waiting(database) == len(await aside(database)) == count


async def test_when_the_topic_exists_its_rows_are_sent_in_their_order(database: str) -> None:
    """Rows that came while it was missing wait behind the first, over several batches and another relay."""
    sender = MemorySender(frozenset())
    values = [b"%d" % number for number in range(30)]
    await outbox.put_now(database, "late", *values[:20])
    async with relaying(database, sender):
        await eventually(lambda: outbox_is(database, 20))
    async with relaying(database, sender):
        await outbox.put_now(database, "late", *values[20:])
        await eventually(lambda: outbox_is(database, 30))
        sender.topics = frozenset({"late"})
        await eventually(lambda: sent(sender, "late") == values)
        await eventually(lambda: outbox_is(database, 0))
        await outbox.put_now(database, "late", b"after")
        await eventually(lambda: sent(sender, "late") == [*values, b"after"])


async def test_a_record_that_is_refused_for_good_does_not_hold_its_topic_up(database: str) -> None:
    """Only that row is set aside; later ones of the same topic are sent."""
    sender = MemorySender()
    await outbox.put_now(database, "t", b"x" * MAX_RECORD_BYTES, b"2")
    async with relaying(database, sender):
        await eventually(lambda: sent(sender, "t") == [b"2"])
        await outbox.put_now(database, "t", b"3")
        await eventually(lambda: sent(sender, "t") == [b"2", b"3"])
        await eventually(lambda: outbox_is(database, 1))
    assert (await aside(database))[0][1] == "too_large"


async def test_an_execution_whose_command_is_refused_ends_as_failed(database: str) -> None:
    """A retry whose command is too large is not set aside for ever: it ends, and says why."""
    sender = MemorySender()
    sender.most["t.actions.webhook"] = 100
    record = ROUTER.again(command(action("webhook")))
    await outbox.put_now(database, record.topic, record.value)
    async with relaying(database, sender):
        await eventually(lambda: sender.on("t.executions"))
        await eventually(lambda: outbox_is(database, 0))
    (ended,) = sender.on("t.executions")
    execution = Execution.model_validate_json(ended.value or b"")
    assert (execution.status, "too_large" in str(execution.error)) == ("failed", True)


class MeasuringSender(MemorySender):
    """Notes how much it is given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        """Note it, and keep."""
        self.sizes.append(sum(record.size for record in records))
        return await super().deliver(records)


async def test_a_batch_is_bounded_in_bytes(database: str) -> None:
    """Forty records of 400 kB: some ten at a time, all of them in order."""
    sender = MeasuringSender()
    values = [b"%02d" % number + b"x" * 400_000 for number in range(40)]
    await outbox.put_now(database, "t", *values)
    async with relaying(database, sender):
        await eventually(lambda: outbox_is(database, 0), within=30)
    assert sent(sender, "t") == values
    assert max(sender.sizes) < BATCH_BYTES + 500_000
    assert len(sender.sizes) >= 4


@pytest.mark.parametrize("size", [1, 100, 1_000_000])
async def test_one_row_is_read_however_large(database: str, size: int) -> None:
    """A bound that is smaller than a row never stops the relay."""
    await outbox.put_now(database, "t", b"x" * 1000, b"y" * 1000)
    async with PostgresOutbox(database).lead() as session:
        assert len(await session.pending(Bounds(10, size))) == (2 if size == 1_000_000 else 1)
