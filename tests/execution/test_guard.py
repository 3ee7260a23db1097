"""One record at fault never takes its batch along: a fault planted in what each agent stands on."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import orjson
import psycopg
import pytest

from app.domain.errors import SupersededError, UnreachableError
from app.execution.guard import guarded, guarded_in_parts, lettered
from app.execution.log_writing import DeadLetterSink, Sink, stay_in_kafka
from app.ports import Claim, ClaimOutcome, Entry, Record
from app.ports.execution_log import LogOutcome
from app.services.delivery.dead_letters import DeadLetters
from schemas.dead_letter import DeadLetter
from schemas.incoming import Incoming
from tests.execution.test_leased import HOOK
from tests.execution.test_leased import World as OutsideWorld
from tests.execution.test_log_writing import FakeLog, execution
from tests.execution.test_matching import TOPICS, World
from tests.support.entries import MemoryEntries
from tests.support.parts import whole
from tests.support.receipts import MemoryReceipts, ReceiptStore
from tests.support.records import FakeRecord, cloud_event, event_record
from tests.support.sender import MemorySender
from tests.support.slips import NOW, action, command, command_record

BAD = "bad"


class FaultyEntries(MemoryEntries):
    """Entries that cannot judge one entity."""

    async def enter(self, asking: Sequence[Entry]) -> Sequence[datetime | None]:
        """Let executions in, or fail as a function in Postgres with a mistake in it would."""
        if any(entry.entity == BAD for entry in asking):
            raise psycopg.errors.NumericValueOutOfRange("planted")
        return await super().enter(asking)


def letters(records: Sequence[Record]) -> list[DeadLetter]:
    """Return the dead letters among records."""
    return [DeadLetter.model_validate_json(one.value or b"") for one in records if one.topic.endswith("dead-letters")]


def letters_of(sender: MemorySender) -> DeadLetters:
    """Return what builds dead letters."""
    return DeadLetters(topics=TOPICS, sender=sender, role="test", clock=lambda: NOW)


async def test_an_entry_that_cannot_be_judged_is_its_records_fault_alone() -> None:
    """The record is a dead letter, internal_error; the others of its batch enter and run."""
    world = World(entries=FaultyEntries())
    world.workflow(1, reentry="once")
    batch = [event_record(key=key.encode(), id=key) for key in ("a", "b", BAD, "c", "d")]
    out = await whole(guarded_in_parts(world.matcher.process, lettered(letters_of(world.sender)))(batch))
    assert [one.key for one in out if one.topic == "t.actions.apply_tag"] == [b"a", b"b", b"c", b"d"]
    (letter,) = letters(out)
    assert (letter.reason, letter.key) == ("internal_error", "YmFk")
    assert "NumericValueOutOfRange" in letter.detail


@pytest.mark.parametrize("part_bytes", [1, 5000, 1_000_000])
async def test_what_is_done_is_not_tried_again_where_a_part_fails(part_bytes: int) -> None:
    """What had begun is tried in halves, then what comes after it; one that was just ending may come twice."""
    world = World(entries=FaultyEntries(), part_bytes=part_bytes)
    world.workflow(1, reentry="once")
    batch = [event_record(key=key.encode(), id=key) for key in ("a", "b", BAD, "c", "d", "e", "f")]
    process = guarded_in_parts(world.matcher.process, lettered(letters_of(world.sender)))
    parts = [part async for part in process(iter(batch))]
    made = [record for part in parts for record in part.records]
    assert [one for part in parts for one in part.done] == batch
    started = [one.key for one in made if one.topic == "t.actions.apply_tag"]
    assert list(dict.fromkeys(started)) == [b"a", b"b", b"c", b"d", b"e", b"f"]
    assert len(started) <= 7
    assert [letter.key for letter in letters(made)] == ["YmFk"]


@pytest.mark.parametrize("error", [UnreachableError("away"), SupersededError("newer"), psycopg.errors.UndefinedTable()])
async def test_an_outage_is_nobodys_fault(error: Exception) -> None:
    """Kafka or Postgres away, a newer process, a schema that is not there: raised, and no letter is written."""

    async def process(_: Sequence[Incoming]) -> Sequence[Record]:
        raise error

    sender = MemorySender()
    with pytest.raises(type(error)):
        await whole(guarded(process, lettered(letters_of(sender)))([event_record(), event_record()]))
    assert not sender.records


class FaultyLog(FakeLog):
    """A log that fails on one document, in our own code."""

    async def write(self, documents: Sequence[str]) -> list[LogOutcome]:
        """Write, or fail."""
        if any(BAD in document for document in documents):
            raise ZeroDivisionError
        return await super().write(documents)


def documents() -> list[FakeRecord]:
    """Return five records, the third of them bad."""
    return [FakeRecord(execution(id=name)) for name in ("a", "b", BAD, "c", "d")]


async def test_the_sink_goes_on_around_a_record_it_fails_on() -> None:
    """The executions around it are written, it is a dead letter."""
    log, sender = FaultyLog(), MemorySender()
    made = letters_of(sender)
    out = await whole(guarded(Sink(log, made).process, lettered(made))(documents()))
    assert [orjson.loads(one)["id"] for one in log.written] == ["a", "b", "c", "d"]
    assert [letter.reason for letter in letters(out)] == ["internal_error"]


async def test_the_sinks_letters_go_on_around_one_it_fails_on() -> None:
    """A dead letter that our code fails on stays in Kafka, and makes no letter of its own."""
    log = FaultyLog()
    assert await whole(guarded(DeadLetterSink(log, TOPICS).process, stay_in_kafka)(documents())) == []
    assert [orjson.loads(one)["id"] for one in log.written] == ["a", "b", "c", "d"]


class FaultyReceipts(MemoryReceipts):
    """Receipts that cannot be claimed for one command."""

    bad: object = None

    async def claim(self, claims: Sequence[Claim]) -> list[ClaimOutcome]:
        """Claim, or fail."""
        if any(claim.command_id == self.bad for claim in claims):
            raise ZeroDivisionError
        return list(await super().claim(claims))


async def test_a_command_whose_claim_fails_is_a_dead_letter_and_its_neighbours_run() -> None:
    """The claims of a batch are one statement: only the command at fault ends with it."""
    store = ReceiptStore()
    world = OutsideWorld(store, receipts=FaultyReceipts)
    await world.receipts.start()
    commands = [command(action("webhook", **HOOK), event=cloud_event(id=name)) for name in "abc"]
    assert isinstance(world.receipts, FaultyReceipts)
    world.receipts.bad = commands[1].id
    records = [command_record(one, "t.actions.webhook") for one in commands]
    assert await asyncio.gather(*(world.executor.handle(one, world.lane) for one in records)) == [True] * 3
    assert len(world.http.requests) == 2
    (letter,) = letters(world.sender.records)
    assert (letter.reason, letter.detail) == ("internal_error", "ZeroDivisionError")
