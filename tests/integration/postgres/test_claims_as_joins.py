"""Claims and looks answer, and leave the tables, as the same statements do when they are written as plain joins.

Those are what is meant; the statements that run are written for long batches (``receipts_sql``).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import UniqueViolation
from psycopg.rows import tuple_row

from app.adapters.postgres import literals
from app.adapters.postgres import receipts_sql as sql
from app.adapters.postgres.claims import Owner, columns, was_there
from app.adapters.postgres.pool import Pool
from app.ports import Claim, Claimed
from tests.support.receipt_worlds import MATCHED, PostgresWorld, a_claim
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres

_LEASE: Final = timedelta(seconds=30)
_NAMES: Final = ("executor/1", "executor/2")
_CLAIM_AS_JOINS: Final = """
, taken AS (
  INSERT INTO receipts AS r (command_id, execution_id, state, instance, incarnation, lease_until, parked)
  SELECT b.command_id, b.execution_id, 1, %s, %s, now() + %s::interval, b.parked
  FROM batch b CROSS JOIN me LEFT JOIN keys k ON b.first AND k.execution_id = b.execution_id
  WHERE live AND (NOT b.first OR (b.version = k.version AND b.attempt = k.attempt))
  ORDER BY b.command_id
  ON CONFLICT (command_id) DO UPDATE SET
    state = 1, instance = excluded.instance, incarnation = excluded.incarnation, lease_until = excluded.lease_until,
    parked = excluded.parked,
    uncertain = r.uncertain OR (r.state = 1 AND NOT (
      r.instance = excluded.instance AND r.incarnation = excluded.incarnation AND r.lease_until >= now()))
  WHERE r.state <> 2 AND r.parked <= excluded.parked AND (
    r.state = 0 OR r.lease_until < now()
    OR (r.instance = excluded.instance AND r.incarnation <= excluded.incarnation))
  RETURNING r.command_id, r.uncertain
)
SELECT b.position, me.live, k.version, k.attempt, k.executed_at, t.uncertain
FROM batch b CROSS JOIN me LEFT JOIN keys k ON b.first AND k.execution_id = b.execution_id
LEFT JOIN taken t ON t.command_id = b.command_id
"""
_LOOK_AS_JOINS: Final = """
SELECT b.position, me.live, k.version, k.attempt, k.executed_at, r.state, r.parked, r.result
FROM batch b CROSS JOIN me LEFT JOIN keys k ON b.first AND k.execution_id = b.execution_id
LEFT JOIN receipts r ON r.command_id = b.command_id
"""
_KEYS: Final = "SELECT * FROM execution_keys ORDER BY execution_id"
_RECEIPTS: Final = "SELECT * FROM receipts ORDER BY command_id"
_WAITS: Final = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)"
_ADD_RECEIPT: Final = """
INSERT INTO receipts (command_id, execution_id, state, instance, incarnation, lease_until, parked, uncertain, result)
VALUES (%s, %s, %s, %s, %s, now() + %s, %s, %s, CASE WHEN %s = 2 THEN '{"n": 1}'::jsonb END)
"""


def _command(number: int) -> UUID:
    return UUID(int=number, version=4)


def _execution(number: int) -> UUID:
    return UUID(int=(1 << 80) + number, version=4)


@dataclass(frozen=True)
class Course:
    """What the tables hold, who asks, and for what."""

    keys: Sequence[tuple[int, int, int, int]]
    receipts: Sequence[tuple[Any, ...]]
    known: int
    asks: int
    claims: Sequence[Claim]


_small = st.integers(0, 2)
_some = st.integers(0, 7)
_key = st.tuples(_some, st.integers(1, 2), _small, _small)
# Command, execution, state, whose, incarnation, seconds of lease left, parked, uncertain.
_receipt = st.tuples(
    _some, _some, _small, st.sampled_from(_NAMES), st.integers(1, 3), st.sampled_from([-5, 5]), _small, st.booleans()
)
_claim = st.builds(
    Claim,
    command_id=st.builds(_command, _some),
    execution_id=st.builds(_execution, _some),
    version=st.integers(1, 2),
    attempt=_small,
    matched_at=st.builds(lambda hours: MATCHED + timedelta(hours=hours), _small),
    first=st.booleans(),
    parked=_small,
)
_course = st.builds(
    Course,
    keys=st.lists(_key, unique_by=lambda key: key[0]),
    receipts=st.lists(_receipt, unique_by=lambda receipt: receipt[0]),
    known=st.integers(1, 3),
    asks=st.integers(1, 3),
    claims=st.lists(_claim, unique_by=lambda claim: claim.command_id, max_size=8),
)


async def _lay(connection: psycopg.AsyncConnection[Any], course: Course) -> None:
    await connection.execute("INSERT INTO instances (instance, incarnation) VALUES (%s, %s)", (_NAMES[0], course.known))
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO execution_keys (execution_id, version, attempt, executed_at) VALUES (%s, %s, %s, %s)",
            [
                (_execution(one), version, attempt, MATCHED + timedelta(hours=at))
                for one, version, attempt, at in course.keys
            ],
        )
        await cursor.executemany(
            _ADD_RECEIPT,
            [
                (
                    _command(one),
                    _execution(of),
                    state,
                    by,
                    incarnation,
                    timedelta(seconds=left),
                    parked,
                    uncertain,
                    state,
                )
                for one, of, state, by, incarnation, left, parked, uncertain in course.receipts
            ],
        )


async def _ask(
    connection: psycopg.AsyncConnection[Any], statement: str, course: Course, params: Sequence[Any]
) -> tuple[list[Any], list[Any], list[Any]]:
    """Run a statement, and take back what it did; returns its answer as claims are read, and the tables after it."""
    answer, keys, receipts = await _run(connection, statement, params)
    return sorted(_read(course.claims[row[0] - 1], row) for row in answer), keys, receipts


async def _run(
    connection: psycopg.AsyncConnection[Any], statement: str, params: Sequence[Any]
) -> tuple[list[Any], list[Any], list[Any]]:
    async with connection.transaction(force_rollback=True):
        cursor = connection.cursor(row_factory=tuple_row)
        answer = await (await cursor.execute(statement.encode(), params, binary=True)).fetchall()
        keys = await (await cursor.execute(_KEYS)).fetchall()
        return answer, keys, await (await cursor.execute(_RECEIPTS)).fetchall()


def _read(claim: Claim, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Read an answer as claims are read: none about an execution means that it is as the claim says."""
    position, live, version, attempt, executed_at, *rest = row
    if not live:
        return position, False
    asked = (claim.version, claim.attempt, claim.matched_at)
    return position, True, (asked if version is None else (version, attempt, executed_at)), repr(rest)


def _claiming(owner: Owner) -> tuple[Any, ...]:
    return (owner.instance, owner.incarnation, owner.instance, owner.incarnation, _LEASE)


def _looking(owner: Owner) -> tuple[Any, ...]:
    return (owner.instance, owner.incarnation)


@pytest.mark.parametrize(
    ("statement", "meant", "by"),
    [
        (sql.CLAIM, sql.BATCH_AND_KEYS + _CLAIM_AS_JOINS, _claiming),
        (sql.LOOK, sql.BATCH_AND_KEYS + _LOOK_AS_JOINS, _looking),
    ],
    ids=["claim", "look"],
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(course=_course)
async def test_it_answers_as_joins_do(
    pool: Pool, statement: str, meant: str, by: Callable[[Owner], tuple[Any, ...]], course: Course
) -> None:
    """Whatever there is, whoever asks and for what: the same answers, the same rows left behind."""
    params = (*columns(course.claims), *by(Owner(_NAMES[0], course.asks)))
    async with pool.connection() as connection, connection.transaction(force_rollback=True):
        await _lay(connection, course)
        assert await _ask(connection, statement, course, params) == await _ask(connection, meant, course, params)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(course=_course)
async def test_new_commands_are_claimed_as_any_are(pool: Pool, course: Course) -> None:
    """The short way answers as the long one, and leaves the same rows; or it fails, where one of the rows was there."""
    params = (*columns(course.claims), *_claiming(Owner(_NAMES[0], course.asks)))
    async with pool.connection() as connection, connection.transaction(force_rollback=True):
        await _lay(connection, course)
        answers, *left = await _ask(connection, sql.BATCH_AND_KEYS + _CLAIM_AS_JOINS, course, params)
        newest = course.asks == course.known
        if newest and not _all_new(course):
            with pytest.raises(UniqueViolation) as clash:
                await _run(connection, sql.CLAIM_NEW, params)
            assert was_there(clash.value)
            return
        assert await _run(connection, sql.CLAIM_NEW, params) == ([(newest,)], *left)
        granted = [_read(claim, (place, True, None, None, None, False)) for place, claim in enumerate(course.claims, 1)]
        assert not newest or answers == granted


def _all_new(course: Course) -> bool:
    """Tell whether the tables hold nothing of what is claimed, and no execution is claimed twice."""
    firsts = [claim.execution_id for claim in course.claims if claim.first]
    known = {_execution(key[0]) for key in course.keys} | {_command(receipt[0]) for receipt in course.receipts}
    return len(set(firsts)) == len(firsts) and not known & {*firsts, *(claim.command_id for claim in course.claims)}


async def test_the_keys_of_new_commands_come_before_their_receipts(pool: Pool) -> None:
    """As they do in every other claim: while a key is waited for, no receipt is held that the other would wait for."""
    claim = a_claim()
    params = (*columns([claim]), *_claiming(Owner(_NAMES[0], 1)))
    async with pool.connection() as other, pool.connection() as ours, pool.connection() as third:
        await other.execute("INSERT INTO instances (instance, incarnation) VALUES (%s, 1)", (_NAMES[0],))

        async def waits() -> bool:
            cursor = await third.execute(_WAITS, (ours.info.backend_pid,))
            return await cursor.fetchone() == (True,)

        async with other.transaction(force_rollback=True):
            await other.execute("INSERT INTO execution_keys VALUES (%s, 1, now(), 1)", (claim.execution_id,))
            claiming = asyncio.create_task(ours.execute(sql.CLAIM_NEW, params))
            await eventually(waits, what="the claim waits for the key")
            await third.execute("SET lock_timeout = '1s'")
            await third.execute(_ADD_RECEIPT, _receipt_of(claim))
        with pytest.raises(UniqueViolation, match="receipts_pkey"):
            await claiming


def _receipt_of(claim: Claim) -> tuple[Any, ...]:
    return claim.command_id, claim.execution_id, 1, _NAMES[1], 1, _LEASE, 0, False, 1


async def test_a_moment_without_a_zone_is_in_utc(pool: Pool) -> None:
    """A slip may have one: claimed as new or not, its execution has its time in UTC."""
    process = await PostgresWorld(pool).process(_NAMES[0])
    claim = a_claim(matched_at=MATCHED.replace(tzinfo=None))
    for command in (claim.command_id, uuid4()):
        assert await process.claim([replace(claim, command_id=command)]) == [Claimed(MATCHED, uncertain=False)]


async def test_results_and_parks_find_their_rows(pool: Pool) -> None:
    """By halving, of many ids as of one; ids of every beginning, since Postgres sorts them as Python does."""
    ids = sorted(UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC834) % (1 << 128)) for number in range(1, 300))
    for some in (ids[:1], ids[:2], ids):
        async with pool.connection() as connection:
            found = await connection.execute(
                "SELECT bool_and(width_bucket(one, %s::uuid[]) = place) FROM unnest(%s::uuid[]) WITH ORDINALITY"
                " AS t (one, place)",
                (literals.uuids(some), literals.uuids(some)),
            )
            assert await found.fetchone() == (True,)
