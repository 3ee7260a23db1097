"""Entries: the same contract in memory and in Postgres, any course of events, and two matchers at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.entries import PostgresEntries
from app.adapters.postgres.maintenance import Maintenance
from app.adapters.postgres.pool import Pool
from app.domain.paths import parse_path
from app.domain.reentry import Reentry, may_enter
from app.ports import Entries, Entry
from app.settings import Settings
from tests.support.entries import MemoryEntries
from tests.support.executions import add_workflow
from tests.support.logins import pool_of

BEGIN: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW: Final = timedelta(seconds=10)
FLOW: Final = UUID(int=1)


def entry(second: float = 0, *, window: timedelta | None = WINDOW, **changes: object) -> Entry:
    """Return an execution that asks; ``changes`` replace fields."""
    at = BEGIN + timedelta(seconds=second)
    fields = {"workflow_id": FLOW, "entity": "c-1", "execution_id": uuid4(), "at": at, **changes}
    return Entry(window=window, **fields)  # type: ignore[arg-type]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def entries(request: pytest.FixtureRequest) -> AsyncIterator[Entries]:
    """One implementation after the other."""
    if request.param == "memory":
        yield MemoryEntries()
        return
    async with pool_of(request.getfixturevalue("database"), DatabaseRole.MATCHER) as pool:
        yield PostgresEntries(pool)


async def test_the_first_enters_and_the_next_when_the_window_is_over(entries: Entries) -> None:
    """At the window's very end; who is kept out hears since when."""
    first, early, late = entry(), entry(9.999), entry(10)
    assert await entries.enter([first]) == [None]
    assert await entries.enter([early]) == [BEGIN]
    assert await entries.enter([late]) == [None]
    assert await entries.enter([entry(19)]) == [BEGIN + WINDOW]


async def test_once_is_for_ever(entries: Entries) -> None:
    """Without a window nobody enters twice."""
    assert await entries.enter([entry(window=None)]) == [None]
    assert await entries.enter([entry(1e9, window=None)]) == [BEGIN]


async def test_a_batch_is_judged_in_its_order(entries: Entries) -> None:
    """Of one entity's executions in a batch the first enters, the second not, and one a window later does."""
    assert await entries.enter([entry(), entry(1), entry(11), entry(12)]) == [
        None, BEGIN, None, BEGIN + timedelta(seconds=11),
    ]  # fmt: skip
    assert await entries.enter([]) == []


async def test_who_was_let_in_may_run_again(entries: Entries) -> None:
    """An event that is delivered again is the same run, also when others have entered since."""
    first, second = entry(), entry(10)
    assert await entries.enter([first, first, second]) == [None, None, None]
    assert await entries.enter([first, entry(1), second]) == [None, BEGIN + WINDOW, None]


async def test_entities_and_workflows_are_apart(entries: Entries) -> None:
    """Each pair has a window of its own, whatever characters an entity is made of."""
    odd = ['{"a", b\\}', "NULL", "ünï😀", "c 1", "'"]
    asking = [entry(entity=name, workflow_id=UUID(int=n)) for name in odd for n in (1, 2)]
    assert await entries.enter(asking) == [None] * 10
    assert await entries.enter([entry(1, entity=name) for name in odd]) == [BEGIN] * 5


async def test_keys_are_apart(entries: Entries) -> None:
    """Equal values of two fields, and an entity that is written the same, have nothing to do with each other."""
    keys = ["", "cart.id", "order.id", "x" * 512, "ü" * 512]
    assert await entries.enter([entry(key=key) for key in keys]) == [None] * 5
    assert await entries.enter([entry(1, key=key) for key in keys]) == [BEGIN] * 5
    longest = Reentry("once", None, parse_path("ü" * 512)).who("", {"ü" * 512: "ö" * 10_000}, {})
    assert await entries.enter([entry(key="ü" * 512, entity=longest)]) == [None]


async def test_one_value_of_a_key_enters_once_whoever_it_is_of(entries: Entries) -> None:
    """A cart's events are one, within a batch too."""
    assert await entries.enter([entry(key="cart.id"), entry(1, key="cart.id"), entry(10, key="cart.id")]) == [
        None, BEGIN, None,
    ]  # fmt: skip


async def test_the_window_is_the_one_that_is_asked_with(entries: Entries) -> None:
    """A workflow that is changed has its new bound at once, also for those that have entered."""
    await entries.enter([entry()])
    assert await entries.enter([entry(1, window=timedelta(seconds=1))]) == [None]
    assert await entries.enter([entry(20, window=None)]) == [BEGIN + timedelta(seconds=1)]


def judged(course: Sequence[Entry]) -> dict[UUID, bool]:
    """Say who of a course of events enters: the rule, one event after the other (an independent account)."""
    last: dict[tuple[UUID, str], datetime] = {}
    verdicts: dict[UUID, bool] = {}
    for one in course:
        key = (one.workflow_id, one.entity)
        verdicts[one.execution_id] = may_enter(one.at, last.get(key), one.window)
        if verdicts[one.execution_id]:
            last[key] = one.at
    return verdicts


_EVENT = st.tuples(st.integers(1, 2), st.sampled_from("ab"), st.integers(0, 6))
_READING = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4)), min_size=1, max_size=10)


@pytest.mark.postgres
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(_EVENT, min_size=1, max_size=20), reading=_READING, window_s=st.integers(1, 12) | st.none())
async def test_restarts_change_nothing(
    matcher_pool: Pool, events: list[tuple[int, str, int]], reading: list[tuple[int, int]], window_s: int | None
) -> None:
    """Read in whatever batches, some events again after a restart: each is judged as if read once, one by one."""
    spaces = {1: uuid4(), 2: uuid4()}
    window = None if window_s is None else timedelta(seconds=window_s)
    course: list[Entry] = []
    second = 0
    for number, entity, later in events:
        second += later
        course.append(entry(second, workflow_id=spaces[number], entity=entity, window=window))
    expected, place = judged(course), 0
    for size, back in [*reading, (len(course), 0)]:
        matcher = PostgresEntries(matcher_pool)
        batch = course[place : place + size]
        answers = await matcher.enter(batch)
        assert [since is None for since in answers] == [expected[one.execution_id] for one in batch]
        place = max(0, min(place + size, len(course)) - back)


@pytest.mark.postgres
async def test_of_two_matchers_at_once_one_lets_in(matcher_pool: Pool) -> None:
    """The same 200 entities asked for from two sides, in opposite orders: each enters exactly once."""
    names = [f"c-{number}" for number in range(200)]
    for second in (0, 100):
        one = [entry(second, entity=name) for name in names]
        two = [entry(second, entity=name) for name in reversed(names)]
        mine, theirs = await asyncio.gather(
            PostgresEntries(matcher_pool).enter(one), PostgresEntries(matcher_pool).enter(two)
        )
        entered = [since is None for since in mine], [since is None for since in reversed(theirs)]
        assert all(left != right for left, right in zip(*entered, strict=True))


@pytest.mark.postgres
async def test_matchers_of_before_the_keys_still_ask(matcher_pool: Pool, database: str) -> None:
    """While an installation is upgraded both ask; by the entity they have the same entries."""
    asking = entry(execution_id=UUID(int=5))
    await PostgresEntries(matcher_pool).enter([asking, entry(key="cart.id", entity="c-2")])
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT headrace_enter(%s, ARRAY['c-1', 'c-2'], %s, %s, %s)",
            ([FLOW] * 2, [uuid4(), uuid4()], [BEGIN + timedelta(seconds=1)] * 2, [WINDOW] * 2),
        ).fetchone()
    assert row == ([BEGIN, None],)


@pytest.mark.postgres
async def test_upkeep_forgets_the_entries_of_another_key(
    matcher_pool: Pool, scheduler_pool: Pool, database: str
) -> None:
    """A workflow that counts by another field begins anew, and so it does when it counts by the first again."""
    written = ['{"once": true, "key": "cart.id"}', '{"once_per": "1 day", "key": "cart.id"}', "once"]
    for number, bound in enumerate(written, 1):
        add_workflow(database, UUID(int=number))
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE automations SET reentry = %s WHERE id = %s", (bound, UUID(int=number)))
        keys = ("", "cart.id", "order.id")
        asking = [entry(workflow_id=UUID(int=number), key=key, at=datetime.now(UTC)) for key in keys]
        await PostgresEntries(matcher_pool).enter(asking)
    upkeep = Maintenance(scheduler_pool, Settings(topic_prefix="t."))
    assert await upkeep.delete_entries() == 6
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT key FROM entries ORDER BY workflow_id").fetchall()
    assert rows == [("cart.id",), ("cart.id",), ("",)]


@pytest.mark.postgres
@pytest.mark.parametrize("broken", ["{}", '{"once": true}', "now and then"])
async def test_a_bound_that_cannot_be_read_keeps_only_its_own_entries(
    matcher_pool: Pool, scheduler_pool: Pool, database: str, broken: str
) -> None:
    """The other workflows' entries are looked after, whatever stands in one workflow's column."""
    for number, bound in ((1, broken), (2, "always")):
        add_workflow(database, UUID(int=number))
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE automations SET reentry = %s WHERE id = %s", (bound, UUID(int=number)))
        await PostgresEntries(matcher_pool).enter([entry(workflow_id=UUID(int=number), at=datetime.now(UTC))])
    assert await Maintenance(scheduler_pool, Settings(topic_prefix="t.")).delete_entries() == 1
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT workflow_id FROM entries").fetchall()
    assert rows == [(UUID(int=1),)]


@pytest.mark.postgres
async def test_upkeep_deletes_what_decides_nothing(matcher_pool: Pool, scheduler_pool: Pool, database: str) -> None:
    """Entries past window and horizon, of deleted workflows, and of those that let everybody in; no others."""
    bounds = ("once", "once per 1 day", "always", "once")
    for number, bound in enumerate(bounds, 1):
        add_workflow(database, UUID(int=number))
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE automations SET reentry = %s WHERE id = %s", (bound, UUID(int=number)))
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE automations SET deleted_at = now() WHERE id = %s", (UUID(int=4),))
    now = datetime.now(UTC)
    old, young = now - timedelta(days=60), now - timedelta(days=2)
    for number in range(1, 5):
        asking = [Entry(UUID(int=number), f"{at:%d}", uuid4(), at, None) for at in (old, young)]
        await PostgresEntries(matcher_pool).enter(asking)
    upkeep = Maintenance(scheduler_pool, Settings(topic_prefix="t."))
    assert await upkeep.delete_entries() == 5
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT workflow_id, entity FROM entries ORDER BY workflow_id, entered_at").fetchall()
    assert rows == [(UUID(int=1), f"{old:%d}"), (UUID(int=1), f"{young:%d}"), (UUID(int=2), f"{young:%d}")]
    assert await upkeep.delete_entries() == 0
