"""Rows of outbox and timers that Kafka will not take: each is set aside with why, and holds nobody up."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

import psycopg

from app.topics import MAX_RECORD_BYTES, Topics
from tests.hostile.kinds import words

_OUTBOX: Final = "INSERT INTO outbox (topic, key, value) VALUES (%s, %s, %s) RETURNING id::text"
_TIMER: Final = """
    INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, due, topic, key, value)
    VALUES (gen_random_uuid(), gen_random_uuid(), %s, 'hostile', 0, 'delay', 'hostile', now(), %s, %s, %s)
    RETURNING command_id::text
"""
_ASIDE: Final = """
    SELECT 'outbox', id::text, set_aside FROM outbox WHERE set_aside IS NOT NULL
    UNION ALL SELECT 'timer', command_id::text, set_aside FROM timers WHERE set_aside IS NOT NULL
"""
_OFTEN: Final = 30
_SELDOM: Final = 6  # of those of more than a megabyte

RowPlace = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RowKind:
    """One kind of row.

    Attributes:
        name: For people.
        table: ``outbox`` or ``timer``.
        reason: Why it must be set aside.
        topic: Where its record would go.
        value: Makes its record's value.
        times: How many there are.
    """

    name: str
    table: str
    reason: str
    topic: Callable[[Topics, Random], str]
    value: Callable[[Random], bytes]
    times: int = _OFTEN


def _nowhere(topics: Topics, chance: Random) -> str:
    return f"{topics.prefix}nowhere-{chance.randrange(5)}"


def _no_name(_: Topics, chance: Random) -> str:
    return f"{words(chance, 3, 9)} / {chance.randrange(5)}"


def _somewhere(topics: Topics, chance: Random) -> str:
    return chance.choice((topics.events("custom.hostile"), topics.actions("apply_tag", "normal"), topics.executions))


def _small(chance: Random) -> bytes:
    return chance.randbytes(chance.randint(0, 300))


def _too_large(chance: Random) -> bytes:
    return chance.randbytes(MAX_RECORD_BYTES + chance.choice((1, 1000, 500_000)))


KINDS: Final = tuple(
    RowKind(f"{table}: {name}", table, reason, topic, value, times)
    for table in ("outbox", "timer")
    for name, reason, topic, value, times in (
        ("no such topic", "no_topic", _nowhere, _small, _OFTEN),
        ("no topic's name", "refused", _no_name, _small, _OFTEN),
        ("too large", "too_large", _somewhere, _too_large, _SELDOM),
    )
)


@dataclass(slots=True)
class Rows:
    """The rows of one run; ``places`` are those that are in, by table and id."""

    database_url: str
    topics: Topics
    chance: Random
    workflow: UUID
    places: dict[RowPlace, RowKind] = field(default_factory=dict)

    async def insert(self, seconds: float) -> None:
        """Insert them all, spread over so many seconds."""
        turns = [kind for kind in KINDS for _ in range(kind.times)]
        self.chance.shuffle(turns)
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            for kind in turns:
                await asyncio.sleep(seconds / len(turns))
                self.places[kind.table, await self._insert(connection, kind)] = kind

    async def _insert(self, connection: psycopg.AsyncConnection[Any], kind: RowKind) -> str:
        values = (kind.topic(self.topics, self.chance), b"hostile", kind.value(self.chance))
        query, given = (_OUTBOX, values) if kind.table == "outbox" else (_TIMER, (self.workflow, *values))
        row = await (await connection.execute(query, given)).fetchone()
        assert row is not None
        return str(row[0])

    async def set_aside(self) -> dict[RowPlace, str]:
        """Return which rows are set aside, and why."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            rows = await (await connection.execute(_ASIDE)).fetchall()
        return {(table, row_id): reason for table, row_id, reason in rows}


def judge_rows(
    places: Mapping[RowPlace, RowKind], aside: Mapping[RowPlace, str], shown: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Yield what is wrong: rows that are not set aside for their reason, and counts that the queue shows otherwise."""
    for place, kind in places.items():
        if aside.get(place) != kind.reason:
            yield f"{kind.name}, {place[1]}: set aside as {aside.get(place)}, not {kind.reason}"
    expected = Counter((kind.table, kind.reason) for kind in places.values())
    counts: Counter[tuple[str, str]] = Counter()
    for entry in shown:
        counts[entry["kind"], entry["reason"]] += entry["count"]
    if counts != expected:
        yield f"the queue shows {dict(counts)} set aside, not {dict(expected)}"
