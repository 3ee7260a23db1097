"""The outbox relay on real Postgres: in order, at least once, one at a time, back by itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from prometheus_client import REGISTRY

from app.adapters.postgres.outbox import PostgresOutbox
from app.ports import Record, Refusal, Sender
from app.services.delivery.relay import Relay
from app.topics import MAX_RECORD_BYTES, WORKFLOWS, Topics
from tests.integration.relay import outbox_rows as outbox
from tests.support.sender import MemorySender
from tests.support.waiting import eventually

LONG_POLL_S = 30.0


@asynccontextmanager
async def relaying(database: str, sender: Sender, *, batch: int = 500) -> AsyncIterator[asyncio.Task[None]]:
    """Run a relay that hardly ever looks by itself."""
    relay = Relay(PostgresOutbox(database), sender, meant=Topics("x.").meant, poll_s=LONG_POLL_S, batch=batch)
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def sender() -> MemorySender:
    """Where records go."""
    return MemorySender()


def values(sender: MemorySender) -> list[bytes | None]:
    """What was sent, in order."""
    return [record.value for record in sender.records]


async def test_rows_are_sent_in_order_and_deleted(database: str, sender: MemorySender) -> None:
    """What waited and what comes is sent in id order, over several batches, and gone afterwards."""
    before = [b"%d" % number for number in range(25)]
    await outbox.put_now(database, "t", *before)
    async with relaying(database, sender, batch=10):
        await eventually(lambda: values(sender) == before)
        await outbox.put_now(database, "t", b"later", None)
        await eventually(lambda: values(sender) == [*before, b"later", None])
        await eventually(lambda: nothing_waits(database))


async def test_a_row_of_the_workflow_table_goes_to_its_changelog(database: str, sender: MemorySender) -> None:
    """The database does not know the topics' prefix: the relay knows which topic is meant, and keeps the order."""
    await outbox.put_now(database, "t", b"1")
    await outbox.put_now(database, WORKFLOWS, b"2")
    await outbox.put_now(database, "t", b"3")
    async with relaying(database, sender):
        await eventually(lambda: values(sender) == [b"1", b"2", b"3"])
    assert [record.topic for record in sender.records] == ["t", "x.matcher-workflows-changelog", "t"]


async def nothing_waits(database: str) -> bool:
    """Whether the outbox is empty."""
    return await outbox.waiting(database) == 0


async def test_headers_and_tombstones_arrive_as_they_were(database: str, sender: MemorySender) -> None:
    """Header names, repeats and order survive, and NULL is a tombstone."""
    headers = '[["content-type", "application/json"], ["a", "1"], ["a", "é"]]'
    async with await outbox.connect(database) as connection:
        await connection.execute("INSERT INTO outbox (topic, key, headers) VALUES ('t', 'k', %s)", (headers,))
    async with relaying(database, sender):
        await eventually(lambda: sender.records)
    expected = [("content-type", b"application/json"), ("a", b"1"), ("a", "é".encode())]
    assert sender.records == [Record("t", b"k", None, expected)]


@pytest.mark.parametrize(
    "headers", ['[{"a": "1"}]', '[["a"]]', '[["a", {"base64": "%"}]]', '[["a", {}]]', '[["a", 1]]', '[[1, "a"]]', "[5]"]
)
async def test_headers_that_cannot_be_read_hold_no_other_row_up(
    database: str, sender: MemorySender, headers: str
) -> None:
    """Their row is set aside with its error; those before and behind it are sent."""
    await outbox.put_now(database, "t", b"before")
    async with await outbox.connect(database) as connection:
        await connection.execute("INSERT INTO outbox (topic, key, headers) VALUES ('t', 'k', %s)", (headers,))
    await outbox.put_now(database, "t", b"behind")
    async with relaying(database, sender):
        await eventually(lambda: values(sender) == [b"before", b"behind"])
    async with await outbox.connect(database) as connection:
        rows = await (
            await connection.execute("SELECT set_aside, error FROM outbox WHERE set_aside IS NOT NULL")
        ).fetchall()
    assert [(reason, error.startswith("headers: ")) for reason, error in rows] == [("refused", True)]


async def test_a_transaction_that_commits_late_under_a_lower_id_is_sent(database: str, sender: MemorySender) -> None:
    """An id below those already sent is not passed over."""
    async with relaying(database, sender), await outbox.connect(database) as slow:
        await outbox.put(slow, "t", b"slow")
        await outbox.put_now(database, "t", b"quick")
        await eventually(lambda: values(sender) == [b"quick"])
        await slow.commit()
        await eventually(lambda: values(sender) == [b"quick", b"slow"])


async def test_one_relay_works_and_the_next_takes_over(database: str, sender: MemorySender) -> None:
    """Of two relays one holds the lock; when it ends, the other goes on within a second."""
    second = MemorySender()
    async with relaying(database, sender) as first:
        await eventually(lambda: outbox.holders(database))
        async with relaying(database, second):
            await outbox.put_now(database, "t", b"1")
            await eventually(lambda: values(sender) == [b"1"])
            first.cancel()
            await outbox.put_now(database, "t", b"2")
            await eventually(lambda: values(second) == [b"2"], within=1.0)
    assert values(sender) == [b"1"]


async def test_a_cut_connection_is_replaced(database: str, sender: MemorySender) -> None:
    """When Postgres ends the relay's session, the relay comes back and misses nothing."""
    async with relaying(database, sender):
        await eventually(lambda: outbox.holders(database))
        await outbox.cut(database)
        await outbox.put_now(database, "t", b"1")
        await eventually(lambda: values(sender) == [b"1"])


async def test_kafka_away_keeps_the_rows_and_comes_back_by_itself(database: str, sender: MemorySender) -> None:
    """Nothing is deleted that was not sent, and nobody has to restart anything."""
    sender.reachable = False
    waited_before = _waited()
    await outbox.put_now(database, "t", b"1", b"2")
    async with relaying(database, sender):
        await eventually(lambda: _waited() > waited_before)
        assert await outbox.waiting(database) == 2
        sender.reachable = True
        await eventually(lambda: values(sender) == [b"1", b"2"], within=5)


class CutAfterSending(MemorySender):
    """Ends the relay's session once, between sending and deleting."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self._database: str | None = database

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        """Send, then cut."""
        refusals = await super().deliver(records)
        if self._database:
            database, self._database = self._database, None
            await outbox.cut(database)
        return refusals


async def test_a_crash_between_sending_and_deleting_sends_again(database: str) -> None:
    """What was sent but not deleted is sent once more, in the same order: nothing is lost."""
    sender = CutAfterSending(database)
    await outbox.put_now(database, "t", b"1", b"2")
    async with relaying(database, sender):
        await eventually(lambda: values(sender) == [b"1", b"2", b"1", b"2"])
        await eventually(lambda: nothing_waits(database))


async def test_a_record_that_kafka_refuses_holds_nobody_up(database: str, sender: MemorySender) -> None:
    """It stays in the outbox, is counted and rests; those before and after it are sent."""
    refused_before = _counted("headrace_outbox_refused_total")
    await outbox.put_now(database, "t", b"1", b"x" * MAX_RECORD_BYTES, b"2")
    async with relaying(database, sender):
        await eventually(lambda: values(sender)[-2:] == [b"1", b"2"])
        await outbox.put_now(database, "t", b"3")
        await eventually(lambda: values(sender)[-1] == b"3")
        await eventually(lambda: waits(database, 1))
        assert _counted("headrace_outbox_refused_total") == refused_before + 1


async def waits(database: str, count: int) -> bool:
    """Whether so many rows wait."""
    return await outbox.waiting(database) == count


async def test_without_its_table_the_relay_waits(database: str, sender: MemorySender) -> None:
    """A relay that starts before the migrations ran waits for them instead of ending."""
    await outbox.put_now(database, "t", b"1")
    async with await outbox.connect(database) as connection:
        await connection.execute("ALTER TABLE outbox RENAME TO not_yet_there")
    waited_before = _waited()
    async with relaying(database, sender), await outbox.connect(database) as connection:
        await eventually(lambda: _waited() > waited_before)
        await connection.execute("ALTER TABLE not_yet_there RENAME TO outbox")
        await connection.commit()
        await eventually(lambda: values(sender) == [b"1"], within=5)


def _waited() -> float:
    return _counted("headrace_outbox_relay_waits_total")


def _counted(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0
