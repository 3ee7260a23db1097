"""Upkeep of the tables: what it makes, moves and deletes, and what it leaves alone."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from prometheus_client import REGISTRY

from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.maintenance import Maintenance
from app.adapters.postgres.pool import Pool
from app.domain.errors import UnreachableError
from app.ports.execution_log import Logged
from app.settings import Settings
from app.topics import declare
from tests.support.deadlines import scaled
from tests.support.executions import WORKFLOW, add_workflow, document
from tests.support.hoarding import hoarding
from tests.support.waiting import in_time

pytestmark = pytest.mark.postgres

TODAY = datetime.now(UTC).date()


@pytest.fixture
def upkeep(scheduler_pool: Pool) -> Maintenance:
    """Upkeep with a log of 90 days."""
    return Maintenance(scheduler_pool, Settings(topic_prefix="t."))


def execute(database: str, statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Run a statement as the administrator."""
    with psycopg.connect(database) as connection:
        cursor = connection.execute(statement.encode(), params)
        return cursor.fetchall() if cursor.description else []


def partitions(database: str, parent: str) -> list[str]:
    """The last eight characters of each partition's name."""
    found = execute(
        database, "SELECT right(inhrelid::regclass::text, 8) FROM pg_inherits WHERE inhparent = %s::regclass", parent
    )
    return sorted(name for (name,) in found)


def days(*offsets: int) -> list[str]:
    """Days as partitions are named after, by their distance from today."""
    return [f"{TODAY + timedelta(days=offset):%Y%m%d}" for offset in offsets]


async def archived(upkeep: Maintenance) -> list[date]:
    """Look after the log; returns the days that went to the archive."""
    return [one.day for one in (await upkeep.log.maintain()).archived]


async def test_partitions_reach_a_week_ahead(upkeep: Maintenance, database: str) -> None:
    """Those that are missing are made; twice at once does no harm."""
    for day in days(0, 6, 7):
        execute(database, f"DROP TABLE automation_logs_{day}")
    await asyncio.gather(upkeep.log.maintain(), upkeep.log.maintain())
    assert partitions(database, "automation_logs") == days(*range(-1, 8))


async def test_no_day_squeezes_its_json_the_slow_way(upkeep: Maintenance, database: str) -> None:
    """Of the log, its archive and every partition, one that is made now as well: lz4, or stored as it is."""
    await upkeep.run()
    query = """
      SELECT attrelid::regclass::text, attname, attstorage, attcompression FROM pg_attribute
      WHERE attrelid IN (SELECT 'automation_logs'::regclass UNION SELECT 'automation_logs_archive'::regclass
          UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = 'automation_logs'::regclass)
        AND attname IN ('trigger_event', 'conditions_result', 'actions_executed')
    """
    async with await psycopg.AsyncConnection.connect(database) as connection:
        columns = await (await connection.execute(query)).fetchall()
    assert len(columns) >= 3 * (2 + 7)
    assert [one for one in columns if one[2] != "e" and one[3] != "l"] == []


async def test_old_days_move_to_the_archive(upkeep: Maintenance, sink_pool: Pool, database: str) -> None:
    """With their rows and indexes; days within the retention stay; a second run finds nothing to do."""
    add_workflow(database)
    log = ExecutionLog(sink_pool)
    now = datetime.now(UTC)
    execute(database, "UPDATE automation_logs_horizon SET live_from = live_from - 30")
    for age in (89, 90, 91, 100):
        await log.write([document(executed_at=(now - timedelta(days=age)).isoformat())])
    assert await archived(upkeep) == [TODAY - timedelta(days=100), TODAY - timedelta(days=91)]
    assert partitions(database, "automation_logs_archive") == days(-100, -91)
    assert partitions(database, "automation_logs")[:2] == days(-90, -89)
    assert execute(database, "SELECT count(*) FROM automation_logs_archive") == [(2,)]
    assert execute(database, "SELECT count(*) FROM automation_logs") == [(2,)]
    assert await archived(upkeep) == []


async def test_rows_of_an_archived_day_follow_it(upkeep: Maintenance, sink_pool: Pool, database: str) -> None:
    """Once a day is archived its late rows go there too, also where it had no partition."""
    add_workflow(database)
    await upkeep.log.maintain()
    for age in (91, 95):
        at = datetime.now(UTC) - timedelta(days=age)
        assert await ExecutionLog(sink_pool).write([document(executed_at=at.isoformat())]) == [
            Logged("success", at, late=True)
        ]


async def test_a_busy_log_is_left_for_the_next_run(upkeep: Maintenance, sink_pool: Pool, database: str) -> None:
    """A reader that does not let go delays the archive by a run; writers are not held up for longer than 2 s."""
    add_workflow(database)
    execute(database, "UPDATE automation_logs_horizon SET live_from = live_from - 30")
    old = datetime.now(UTC) - timedelta(days=100)
    await ExecutionLog(sink_pool).write([document(executed_at=old.isoformat())])
    with psycopg.connect(database) as reader:
        reader.execute("SELECT count(*) FROM automation_logs")
        assert await archived(upkeep) == []
        assert days(-100)[0] in partitions(database, "automation_logs")
    assert await archived(upkeep) == [old.date()]


async def test_receipts_and_keys_are_deleted_past_their_horizon(upkeep: Maintenance, database: str) -> None:
    """Retention and segment of the topics and a day, 15 in all: older ones go, in batches; younger ones stay."""
    execute(
        database,
        "INSERT INTO receipts (command_id, execution_id, state, created_at)"
        " SELECT gen_random_uuid(), gen_random_uuid(), 0, now() - make_interval(days => 14 + n %% 2, mins => 1)"
        " FROM generate_series(1, 5000) AS n",
    )
    execute(
        database,
        "INSERT INTO execution_keys (execution_id, version, executed_at, attempt)"
        " SELECT gen_random_uuid(), 1, now() - make_interval(days => 14 + n, mins => 1), 1"
        " FROM generate_series(0, 1) AS n",
    )
    assert await upkeep.delete_past_horizon() == 2501
    assert execute(database, "SELECT count(*), max(now() - created_at) < '15 days' FROM receipts") == [(2500, True)]
    assert execute(database, "SELECT count(*) FROM execution_keys") == [(1,)]


async def test_answered_requests_are_deleted_past_their_horizon(upkeep: Maintenance, database: str) -> None:
    """What nobody can repeat any more goes, the rest stays."""
    execute(
        database,
        "INSERT INTO crm.requests (key, request, created_at) VALUES ('old', 'r', now() - interval '16 days'),"
        " ('new', 'r', now() - interval '14 days')",
    )
    assert await upkeep.delete_past_horizon() == 1
    assert execute(database, "SELECT key FROM crm.requests") == [("new",)]


async def test_notifications_go_with_the_log(upkeep: Maintenance, database: str) -> None:
    """Read or not, after the log's retention of 90 days; younger ones stay."""
    execute(
        database,
        "INSERT INTO notifications (id, user_id, title, body, workflow_id, execution_id, created_at)"
        " SELECT gen_random_uuid(), gen_random_uuid(), 't', 'b', gen_random_uuid(), gen_random_uuid(),"
        " now() - make_interval(days => 89 + n %% 2, hours => 1) FROM generate_series(1, 5000) AS n",
    )
    assert await upkeep.delete_old_notifications() == 2500
    assert execute(database, "SELECT count(*), max(now() - created_at) < '90 days' FROM notifications") == [
        (2500, True)
    ]


async def test_dead_letters_go_with_age(scheduler_pool: Pool, database: str) -> None:
    """Open or closed, past their retention, in batches and counted by what had become of them; younger ones stay."""
    execute(
        database,
        'INSERT INTO dead_letters (topic, "partition", "offset", reason, detail, size, role, failed_at, replayed_at)'
        " SELECT 't', 0, n, 'r', 'd', 0, 'matcher', now() - make_interval(days => 29 + n %% 2, hours => 1),"
        " CASE WHEN n < 1000 THEN now() END FROM generate_series(1, 5000) AS n",
    )
    before = [removed(state) for state in ("open", "replayed")]
    upkeep = Maintenance(scheduler_pool, Settings(topic_prefix="t.", dead_letter_retention_days=30))
    assert await upkeep.delete_old_dead_letters() == 2500
    assert [removed(state) for state in ("open", "replayed")] == [before[0] + 2000, before[1] + 500]
    assert execute(database, "SELECT count(*), max(now() - failed_at) < '30 days' FROM dead_letters") == [(2500, True)]


async def test_the_audit_trail_is_shortened(scheduler_pool: Pool, database: str) -> None:
    """Past its retention, in batches, by a role that may not delete of it itself; younger lines stay."""
    execute(
        database,
        "INSERT INTO audit_trail (at, actor_kind, action, kind, object_id)"
        " SELECT now() - make_interval(days => 99 + n %% 2, hours => 1), 'user', 'made', 'x', ''"
        " FROM generate_series(1, 5000) n",
    )
    upkeep = Maintenance(scheduler_pool, Settings(topic_prefix="t.", audit_retention_days=100))
    assert await upkeep.shorten_audit_trail() == 2500
    assert execute(database, "SELECT count(*) FROM audit_trail WHERE action = 'made'") == [(2500,)]


def removed(state: str) -> float:
    """How many dead letters of a state have been counted as removed."""
    return REGISTRY.get_sample_value("headrace_dead_letters_removed_total", {"state": state}) or 0.0


def test_receipts_outlive_what_the_topics_keep() -> None:
    """Every topic of events or commands says itself how long it keeps them: a broker's defaults may differ."""
    topics = [
        spec for spec in declare(Settings(topic_prefix="t."), ["webhook"]) if spec.config["cleanup.policy"] != "compact"
    ]
    kept = {spec.name: int(spec.config["retention.ms"]) + int(spec.config["segment.ms"]) for spec in topics}
    for letters in ("t.dead-letters", "t.listener-letters"):
        kept.pop(letters)  # nothing executes those again by itself
    day = timedelta(days=1) // timedelta(milliseconds=1)
    assert set(kept.values()) == {14 * day}


async def test_a_deleted_workflow_gets_its_tombstone_after_a_week(upkeep: Maintenance, database: str) -> None:
    """Once, and not before the week is over."""
    add_workflow(database)
    execute(database, "UPDATE automations SET deleted_at = now() - interval '6 days 23 hours'")
    assert await upkeep.put_tombstones() == 0
    execute(database, "UPDATE automations SET deleted_at = now() - interval '7 days 1 minute'")
    assert await upkeep.put_tombstones() == 1
    assert await upkeep.put_tombstones() == 0
    found = execute(database, "SELECT topic, convert_from(key, 'UTF8'), value FROM outbox")
    assert found == [("@workflows", str(WORKFLOW), None)]


async def test_a_whole_run_on_a_new_database(upkeep: Maintenance) -> None:
    """There is nothing to do, and nothing fails."""
    await upkeep.run()
    await upkeep.run()


async def test_no_lock_of_a_stranger_keeps_a_day_from_being_made(sink_pool: Pool, database: str) -> None:
    """Whoever has SQL as `authenticated` may take every lock that they are given.

    Not that of who writes a workflow: a partition needs the foreign key's table without a writer, and waits for them.
    """

    async def make() -> None:
        async with sink_pool.connection() as connection:
            await connection.execute("SELECT headrace_make_log_partition('2033-01-01')")

    advisory, spared = ["hashtext('headrace_log_partitions')"], ["public.automations"]
    with hoarding(database, "authenticated", advisory=advisory, spared=spared):
        await in_time(make(), 20, what="the partition")
    assert "20330101" in partitions(database, "automation_logs")


async def test_a_step_that_fails_keeps_none_of_the_others(upkeep: Maintenance, database: str) -> None:
    """What Postgres refuses of one step is raised when the rest is done."""
    execute(database, f"DROP TABLE automation_logs_{days(7)[0]}")
    execute(database, "DROP TABLE receipts CASCADE")
    add_workflow(database)
    execute(database, "UPDATE automations SET deleted_at = now() - interval '8 days'")
    with pytest.raises(ExceptionGroup) as raised:
        await upkeep.run()
    assert [type(error) for error in raised.value.exceptions] == [psycopg.errors.UndefinedTable]
    assert partitions(database, "automation_logs") == days(*range(-1, 8))
    assert execute(database, "SELECT count(*) FROM outbox WHERE value IS NULL") == [(1,)]


async def test_upkeep_that_finds_postgres_away_says_so(scheduler_pool: Pool) -> None:
    """That is an outage, and no mistake in the code."""
    scheduler_pool.timeout = 0.1
    async with AsyncExitStack() as hoard:
        for _ in range(scheduler_pool.max_size):
            await hoard.enter_async_context(scheduler_pool.connection(timeout=scaled(10)))
        with pytest.raises(UnreachableError, match="did not serve the upkeep"):
            await Maintenance(scheduler_pool, Settings(topic_prefix="t.")).run()


async def test_processes_that_were_not_seen_for_a_day_are_forgotten(upkeep: Maintenance, database: str) -> None:
    """One that was seen an hour ago is still shown."""
    row = "INSERT INTO heartbeats (role, instance, host, pid, version, started_at, ready, seen_at)"
    for instance, ago in (("old", "25 hours"), ("known", "1 hour")):
        values = f"VALUES ('sink', %s, 'h', 1, '1', now(), true, now() - '{ago}'::interval)"
        execute(database, f"{row} {values}", instance)
    await upkeep.run()
    assert execute(database, "SELECT instance FROM heartbeats") == [("known",)]


async def test_the_feed_of_the_log_is_kept_for_two_hours(upkeep: Maintenance, database: str) -> None:
    """A stream goes on where it broke off within one."""
    feed = "INSERT INTO execution_feed (ids, times, workflows, written_at) VALUES ('{}', '{}', '{}', now() - %s)"
    for minutes in (0, 90, 121, 600):
        execute(database, feed, timedelta(minutes=minutes))
    assert await upkeep.delete_old_feed() == 2
    assert execute(database, "SELECT count(*) FROM execution_feed") == [(2,)]
