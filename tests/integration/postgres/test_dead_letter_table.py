"""The table of dead letters: complete, once each, and no bad one holds up the others."""

from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
import pytest
from psycopg.rows import dict_row

from app.adapters.postgres.dead_letters import DeadLetterTable
from app.adapters.postgres.pool import Pool
from app.ports.execution_log import Refused, Repeated
from app.services.delivery.dead_letters import dead_letter
from app.topics import Topics
from tests.support.records import FakeRecord

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VALUE = b"\x00\xff not JSON"


NEW_FIELDS = ("reader", "digest", "event_id", "source", "entity")


def letter(offset: int = 0, *, at: datetime = NOW, reader: str = "t.matcher", **changes: Any) -> str:
    """Return a dead letter as the sink reads it; ``changes`` replace fields."""
    record = FakeRecord(VALUE, topic="t.events.order", offset=offset, timestamp=at.timestamp(), headers=[("h", b"1")])
    sent = dead_letter(
        Topics("t.").dead_letters, record, reason="not_json", detail="line 1", role="matcher", now=NOW, reader=reader
    )
    return orjson.dumps(orjson.loads(sent.value or b"") | changes).decode()


def old_letter(offset: int = 0) -> str:
    """Return a dead letter of a writer that knew nothing of readers and digests."""
    fields = orjson.loads(letter(offset))
    return orjson.dumps({name: value for name, value in fields.items() if name not in NEW_FIELDS}).decode()


def stored(database: str) -> list[dict[str, Any]]:
    """Every row of the table."""
    with psycopg.connect(database, row_factory=dict_row) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        return connection.execute('SELECT * FROM dead_letters ORDER BY "offset"').fetchall()


async def test_a_dead_letter_is_stored_whole(sink_pool: Pool, database: str) -> None:
    """Coordinates, reason and the original's very bytes."""
    assert await DeadLetterTable(sink_pool).store([letter(7)]) == [None]
    [row] = stored(database)
    assert {name: row[name] for name in row if name not in ("id", "stored_at", "digest")} == {
        "topic": "t.events.order",
        "partition": 0,
        "offset": 7,
        "record_timestamp": NOW,
        "reason": "not_json",
        "detail": "line 1",
        "key": b"c1",
        "value": VALUE,
        "size": len(VALUE),
        "cut": False,
        "headers": [["h", "MQ=="]],
        "role": "matcher",
        "failed_at": NOW,
        "reader": "t.matcher",
        "event_id": None,
        "source": None,
        "entity": "c1",
        **dict.fromkeys(("replayed_at", "replayed_by", "discarded_at", "discarded_by", "barred")),
    }


async def test_a_repeated_dead_letter_is_stored_once(sink_pool: Pool, database: str) -> None:
    """Twice in a batch, or in two: the same reader's of the same record; each repetition is told."""
    table = DeadLetterTable(sink_pool)
    assert await table.store([letter(1), letter(1, reason="other"), letter(2)]) == [None, Repeated(), None]
    assert await table.store([letter(3), letter(1)]) == [None, Repeated()]
    assert [row["reason"] for row in stored(database)] == ["not_json"] * 3


async def test_each_reader_of_a_record_has_its_letter(sink_pool: Pool, database: str) -> None:
    """A second role, or a second source of the same topic: one letter does not hide the other."""
    readers = ["t.matcher", "billing/handler", "t.sources/a", "t.sources/b"]
    assert await DeadLetterTable(sink_pool).store([letter(1, reader=reader) for reader in readers]) == [None] * 4
    assert sorted(row["reader"] for row in stored(database)) == sorted(readers)


async def test_a_topic_made_anew_has_letters_of_its_own(sink_pool: Pool, database: str) -> None:
    """Its offsets begin at 0 again: another record at a place where one stood before has its letter."""
    table = DeadLetterTable(sink_pool)
    later = datetime(2026, 4, 1, tzinfo=UTC)
    assert await table.store([letter(0), letter(0, at=later)]) == [None, None]
    assert await table.store([letter(0, at=later)]) == [Repeated()]
    assert sorted(row["record_timestamp"] for row in stored(database)) == [NOW, later]


async def test_letters_of_older_writers_are_stored_once(sink_pool: Pool, database: str) -> None:
    """Those still in the topic when the sink is renewed: their role stands for the reader."""
    table = DeadLetterTable(sink_pool)
    assert await table.store([old_letter(1), old_letter(1)]) == [None, Repeated()]
    assert await table.store([old_letter(1), letter(1)]) == [Repeated(), None]
    assert {(row["reader"], row["digest"] != "") for row in stored(database)} == {
        ("matcher", False),
        ("t.matcher", True),
    }


async def test_a_bad_one_does_not_hold_up_the_others(sink_pool: Pool, database: str) -> None:
    """What is no dead letter is named; its neighbours are stored."""
    outcomes = await DeadLetterTable(sink_pool).store(
        [letter(1), "{}", letter(2), "[", letter(3, value="no base64!"), letter(4)]
    )
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [False, True, False, True, True, False]
    assert [row["offset"] for row in stored(database)] == [1, 2, 4]


async def test_nothing_is_stored_of_nothing(sink_pool: Pool) -> None:
    """An empty batch needs no statement."""
    assert await DeadLetterTable(sink_pool).store([]) == []
