"""Heartbeats: the fake and those in Postgres keep the same promises."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.heartbeats import PostgresHeartbeats
from app.ports.heartbeats import Heartbeats, Process
from tests.support.heartbeats import MemoryHeartbeats
from tests.support.logins import as_role

# Not yet over ten minutes ago whenever these tests run: the files before this one may take longer than that.
SINK = Process("sink", "1", "host-a", 17, "0.1.0", datetime.now(UTC) + timedelta(hours=2))


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Heartbeats]:
    """One store after the other; the sink's."""
    if request.param == "memory":
        yield MemoryHeartbeats()
        return
    database = request.getfixturevalue("database")
    kept = PostgresHeartbeats(as_role(database, DatabaseRole.SINK), DatabaseRole.SINK)
    yield kept
    await kept.close()


def started(ago: timedelta) -> Process:
    """A process of the same role and instance."""
    return replace(SINK, started_at=datetime.now(UTC) - ago)


async def test_the_row_says_what_the_process_said_last(store: Heartbeats) -> None:
    """Who it is, why it is not ready, its figures."""
    await store.beat(SINK, {}, {"a": 1.0})
    await store.beat(SINK, {"kafka": "no answer"}, {"a": 2.0, "b": 0.5})
    (row,) = await store.all()
    assert (row.process, row.problems, row.figures) == (SINK, {"kafka": "no answer"}, {"a": 2.0, "b": 0.5})
    assert 0 <= row.age_s < 60
    assert not row.stopped


async def test_each_start_counts_once(store: Heartbeats) -> None:
    """However often its process beats; one that is over ten minutes ago counts no more."""
    assert [await store.beat(SINK, {}, {}) for _ in range(2)] == [1, 1]
    assert await store.beat(started(timedelta(minutes=-1)), {}, {}) == 2
    assert await store.beat(started(timedelta(minutes=11)), {}, {}) == 2
    (row,) = await store.all()
    assert row.starts == 2


async def test_an_orderly_end_is_no_start_too_many(store: Heartbeats) -> None:
    """It is said, and its start counts no more; the next one lives again."""
    await store.beat(SINK, {"kafka": "no answer"}, {})
    await store.stop(SINK)
    (row,) = await store.all()
    assert (row.stopped, row.starts, row.problems) == (True, 0, {})
    assert await store.beat(started(timedelta(0)), {}, {}) == 1
    (row,) = await store.all()
    assert not row.stopped


async def test_a_predecessor_does_not_end_its_successor(store: Heartbeats) -> None:
    """One that is slow to end says nothing of the row that another writes by then."""
    successor = started(timedelta(seconds=-1))
    await store.beat(SINK, {}, {})
    await store.beat(successor, {}, {})
    await store.stop(SINK)
    (row,) = await store.all()
    assert (row.process, row.stopped) == (successor, False)


async def test_each_role_and_instance_has_its_row(store: Heartbeats) -> None:
    """In their order; also where they are written at once."""
    others = [replace(SINK, instance=name) for name in ("3", "2")]
    await asyncio.gather(*(store.beat(one, {}, {}) for one in (*others, SINK)))
    assert [row.process.instance for row in await store.all()] == ["1", "2", "3"]


async def test_it_goes_on_after_it_was_closed(store: Heartbeats) -> None:
    """As after a connection that broke."""
    await store.beat(SINK, {}, {})
    await store.close()
    assert await store.beat(SINK, {}, {}) == 1
