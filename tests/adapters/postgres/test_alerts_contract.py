"""Alerts: the fake and those in Postgres keep the same promises; and what Postgres itself knows of them."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from app.adapters.postgres.alerts import PostgresAlerts
from app.adapters.postgres.database_roles import DatabaseRole
from app.domain.alert_states import Standing, Wrong
from app.ports.alerts import AlertSession, Telling
from tests.support.alerts import MemoryAlerts
from tests.support.executions import WORKFLOW, add_workflow
from tests.support.logins import as_role
from tests.support.waiting import eventually


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def session(request: pytest.FixtureRequest) -> AsyncIterator[AlertSession]:
    """One session after the other; the scheduler's."""
    if request.param == "memory":
        async with MemoryAlerts().lead() as opened:
            yield opened
        return
    database = request.getfixturevalue("database")
    async with PostgresAlerts(as_role(database, DatabaseRole.SCHEDULER)).lead() as opened:
        yield opened


async def test_what_alerts_stand_at_is_kept(session: AlertSession) -> None:
    """With every subject and the readings it counts from; others stay as they were."""
    one = Standing({"sink": Wrong(1.5, 20.25, 2000.0, firing=True), "": Wrong(1.0, 2.0, 3.0, firing=False)})
    counted = Standing(past=((1.5, {"sink/1": 4.0}), (31.5, {"sink/1": 5.0})))
    await session.keep({"HeadraceQueueDepth": one})
    await session.keep({"HeadraceDeadLetters": counted})
    assert await session.standings() == {"HeadraceQueueDepth": one, "HeadraceDeadLetters": counted}
    await session.keep({"HeadraceQueueDepth": Standing()})
    assert (await session.standings())["HeadraceQueueDepth"] == Standing()


async def test_how_far_a_channel_is_told_is_kept(session: AlertSession) -> None:
    """Of each by itself; one that was never told anything knows of nothing."""
    assert await session.telling("ops") == Telling()
    told = Telling({"HeadraceRoleDown": ["matcher", "sink"]}, 3, 1_700_000_000.5, "it answered 500")
    await session.keep_telling("ops", told)
    await session.keep_telling("json:0a1b2c3d", Telling())
    assert await session.telling("ops") == told
    assert await session.telling("json:0a1b2c3d") == Telling()


@pytest.mark.postgres
async def test_the_time_that_alerts_go_by_is_postgres_s(database: str) -> None:
    """Schedulers take turns, and what one notes the next one judges by."""
    with psycopg.connect(database, autocommit=True) as connection:
        ask = "SELECT extract(epoch FROM clock_timestamp())::float8"
        (before,) = connection.execute(ask).fetchone() or (0.0,)
        async with PostgresAlerts(as_role(database, DatabaseRole.SCHEDULER)).lead() as session:
            told = await session.now()
        (after,) = connection.execute(ask).fetchone() or (0.0,)
    assert before <= told <= after


@pytest.mark.postgres
async def test_postgres_says_what_it_holds(database: str) -> None:
    """Rates of the log, open breakers by their destination, the outbox's age, what is set aside."""
    add_workflow(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO automation_logs (automation_id, trigger_event, conditions_met, status, execution_duration_ms)"
            " SELECT %s, '{}', true, s, 12000 FROM unnest(ARRAY['success', 'failed', 'stopped', 'partial']) AS s",
            (WORKFLOW,),
        )
        connection.execute("INSERT INTO outbox (topic, key, created_at) VALUES ('t', 'k', now() - interval '90 s')")
        connection.execute("INSERT INTO outbox (topic, key, set_aside, error) VALUES ('t', 'k', 'no_topic', 'gone')")
        connection.execute(
            "INSERT INTO breakers (destination, closed, until, reason) VALUES ('https://crm', false,"
            " now() + interval '1 hour', 'x'), ('https://half-open.example', false, now() - interval '1 s', 'x')"
        )
    async with PostgresAlerts(as_role(database, DatabaseRole.SCHEDULER)).lead() as session:
        read = await session.readings()
    assert read["failure_rate"] == {"": 0.5}
    assert read["execution_seconds"] == {"": 12.0}
    assert 90 <= read["outbox_age"][""] < 900
    assert (read["set_aside"], read["breakers"]) == ({"": 1.0}, {"https://crm": 2.0})


@pytest.mark.postgres
async def test_one_scheduler_judges_at_a_time(database: str) -> None:
    """The next one gets what it stood at as soon as the first has ended."""
    store = PostgresAlerts(as_role(database, DatabaseRole.SCHEDULER))
    firing = {"HeadraceRoleDown": Standing({"sink": Wrong(1.0, 2.0, 1.0, firing=True)})}
    got: list[object] = []

    async def second() -> None:
        async with store.lead() as session:
            got.append(await session.standings())

    async with store.lead() as session:
        waiting = asyncio.create_task(second())
        await session.keep(firing)
        assert not got
    await eventually(lambda: bool(got), within=10, what="the second scheduler")
    await waiting
    assert got == [firing]


@pytest.mark.postgres
async def test_an_owner_is_told_once_that_it_fails_and_once_that_it_works(database: str) -> None:
    """However often it fails; it works again once it has not failed for a while and has had a success since."""
    add_workflow(database)
    fail = (
        "INSERT INTO workflow_failures (workflow_id, execution_id, status) VALUES (%s, gen_random_uuid(), 'failed')"
        " ON CONFLICT (workflow_id) DO UPDATE SET failed_at = now()"
    )
    store = PostgresAlerts(as_role(database, DatabaseRole.SCHEDULER))
    with psycopg.connect(database, autocommit=True) as owner:
        async with store.lead() as session:
            for expected in ((1, 0), (0, 0)):
                owner.execute(fail, (WORKFLOW,))
                assert await session.tell_owners(600) == expected
            assert await session.tell_owners(0) == (0, 0)  # nothing has succeeded since
            owner.execute(
                "INSERT INTO automation_logs (automation_id, trigger_event, conditions_met, status)"
                " VALUES (%s, '{}', true, 'success')",
                (WORKFLOW,),
            )
            assert await session.tell_owners(600) == (0, 0)  # it may fail again at any moment
            assert await session.tell_owners(0) == (0, 1)
            assert await session.tell_owners(0) == (0, 0)
        notes = owner.execute("SELECT title, user_id FROM notifications ORDER BY created_at").fetchall()
        (by,) = owner.execute("SELECT created_by FROM automations").fetchone() or (None,)
    assert notes == [('Workflow "Big orders" fails', by), ('Workflow "Big orders" works again', by)]
