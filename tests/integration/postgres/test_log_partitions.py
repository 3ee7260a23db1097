"""The log's days with time moved: made ahead, archived, removed; busy, late, missed and half done."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from time import monotonic

import psycopg
import pytest

from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.log_partitions import Day, LogPartitions
from app.adapters.postgres.pool import Pool
from app.ports.execution_log import Logged
from app.settings import Settings
from tests.integration.postgres.test_maintenance import execute
from tests.support.deadlines import scaled
from tests.support.executions import add_workflow, document
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres

TODAY = datetime.now(UTC).date()


class Calendar:
    """The day, which a test moves, and pauses that take no time."""

    def __init__(self) -> None:
        self.today = TODAY

    def __call__(self) -> date:
        """Return the day."""
        return self.today

    async def pause(self, _: float) -> None:
        """Let others go on."""
        await asyncio.sleep(0.01)


@pytest.fixture
def calendar() -> Calendar:
    """The day."""
    return Calendar()


def kept(calendar: Calendar, pool: Pool, days: int = 90, archived: int = 0) -> LogPartitions:
    """The log, kept for so many days and archived up to so many."""
    settings = Settings(log_retention_days=days, log_archive_retention_days=archived)
    return LogPartitions(pool, settings, today=calendar, pause=calendar.pause)


def days_of(database: str, parent: str) -> list[date]:
    """The days that a table has partitions for."""
    query = (
        "SELECT to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') FROM pg_inherits"
        " WHERE inhparent = %s::regclass ORDER BY 1"
    )
    return [day for (day,) in execute(database, query, parent)]


def ran(found: list[Day]) -> list[date]:
    """The days of some partitions."""
    return [one.day for one in found]


def rows(database: str, table: str) -> int:
    """How many rows a table has."""
    return int(execute(database, "SELECT count(*) FROM " + table)[0][0])  # noqa: S608 - a name of ours


async def log_on(pool: Pool, day: date) -> Logged:
    """Write an execution of a day, as the sink does."""
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    (outcome,) = await ExecutionLog(pool).write([document(executed_at=at.isoformat())])
    assert isinstance(outcome, Logged)
    return outcome


async def test_a_plan_is_what_a_run_does(
    calendar: Calendar, scheduler_pool: Pool, sink_pool: Pool, database: str
) -> None:
    """A dry run says it, with sizes, and changes nothing; the run does it; a second run finds nothing to do."""
    add_workflow(database)
    await log_on(sink_pool, TODAY)
    log = kept(calendar, scheduler_pool, days=10, archived=20)
    calendar.today = TODAY + timedelta(11)
    before = (days_of(database, "automation_logs"), days_of(database, "automation_logs_archive"))
    plan = await log.plan()
    assert (days_of(database, "automation_logs"), days_of(database, "automation_logs_archive")) == before
    assert ran([*plan.made]) == [TODAY + timedelta(n) for n in range(10, 19)]
    assert ran([*plan.archived]) == [TODAY - timedelta(1), TODAY]
    assert plan.archived[1].size > 0
    done = await log.maintain()
    assert (ran([*done.made]), ran([*done.archived])) == (ran([*plan.made]), ran([*plan.archived]))
    again = await log.maintain()
    assert (again.made, again.archived, again.removed, again.busy) == ([], [], [], ())
    assert rows(database, "automation_logs_archive") == 1


async def test_time_goes_by_day_after_day(
    calendar: Calendar, scheduler_pool: Pool, sink_pool: Pool, database: str
) -> None:
    """Over forty days: always a week ahead, 10 days live, 20 days in all, and no execution is lost before its time."""
    add_workflow(database)
    log = kept(calendar, scheduler_pool, days=10, archived=20)
    for passed in range(40):
        calendar.today = TODAY + timedelta(passed)
        await log.maintain()
        await log_on(sink_pool, calendar.today)
        live, archived = days_of(database, "automation_logs"), days_of(database, "automation_logs_archive")
        assert live[-1] == calendar.today + timedelta(7)
        assert live[0] >= calendar.today - timedelta(10)
        assert not archived or archived[0] >= calendar.today - timedelta(20)
        in_all = rows(database, "automation_logs") + rows(database, "automation_logs_archive")
        assert in_all == min(passed + 1, 21)


async def test_the_archive_is_kept_for_ever_unless_it_is_said(
    calendar: Calendar, scheduler_pool: Pool, sink_pool: Pool, database: str
) -> None:
    """Ten years on nothing of it is gone."""
    add_workflow(database)
    await log_on(sink_pool, TODAY)
    calendar.today = TODAY + timedelta(3650)
    done = await kept(calendar, scheduler_pool).maintain()
    assert not done.removed
    assert rows(database, "automation_logs_archive") == 1


async def test_a_missed_month_is_made_up_for(
    calendar: Calendar, scheduler_pool: Pool, sink_pool: Pool, database: str
) -> None:
    """No scheduler ran for 35 days; the sink made its days itself. One run archives and removes all that is due."""
    add_workflow(database)
    execute(database, "UPDATE automation_logs_horizon SET live_from = live_from - 90")
    for ago in range(35, -1, -5):
        assert not (await log_on(sink_pool, TODAY - timedelta(ago))).late
    done = await kept(calendar, scheduler_pool, days=10, archived=20).maintain()
    assert ran([*done.archived]) == [TODAY - timedelta(n) for n in (35, 30, 25, 20, 15)]
    assert ran([*done.removed]) == [TODAY - timedelta(n) for n in (35, 30, 25)]
    assert days_of(database, "automation_logs_archive") == [TODAY - timedelta(n) for n in (20, 15)]
    assert rows(database, "automation_logs") == 3
    assert rows(database, "automation_logs_archive") == 2


async def test_a_late_row_of_a_removed_day_is_no_failure(
    calendar: Calendar, scheduler_pool: Pool, sink_pool: Pool, database: str
) -> None:
    """It goes to the archive, as late rows do, where the next run removes its day again."""
    add_workflow(database)
    log = kept(calendar, scheduler_pool, days=10, archived=20)
    calendar.today = TODAY + timedelta(30)
    await log.maintain()
    late = await log_on(sink_pool, TODAY)
    assert late.late
    assert days_of(database, "automation_logs_archive") == [TODAY]
    assert ran([*(await log.maintain()).removed]) == [TODAY]
    assert days_of(database, "automation_logs_archive") == []


@contextmanager
def holding(database: str, statement: str) -> Iterator[psycopg.Connection]:
    """Have a transaction open that has carried a statement out."""
    with psycopg.connect(database) as connection:
        connection.execute(statement.encode())
        yield connection


async def test_a_busy_day_never_holds_up_the_sink(
    calendar: Calendar, scheduler_pool: Pool, sink_pool: Pool, database: str
) -> None:
    """A reader keeps the log for long: the archive waits a little, again and again, and writes go on in between."""
    add_workflow(database)
    log = kept(calendar, scheduler_pool, days=10)
    calendar.today = TODAY + timedelta(11)
    with holding(database, "SELECT count(*) FROM automation_logs"):
        run, slowest = asyncio.create_task(log.maintain()), 0.0
        while not run.done():
            began = monotonic()
            await log_on(sink_pool, TODAY + timedelta(5))
            slowest = max(slowest, monotonic() - began)
        done = await run
    assert done.archived == []
    assert ran([*done.busy]) == [TODAY - timedelta(1), TODAY]
    assert slowest < scaled(1.0)
    assert ran([*(await log.maintain()).archived]) == [TODAY - timedelta(1), TODAY]


async def test_who_is_killed_half_way_leaves_all_as_it_was(
    calendar: Calendar, scheduler_pool: Pool, sink_pool: Pool, database: str
) -> None:
    """Between taking a day from the log and giving it to the archive: nothing happened, and the next run goes on."""
    add_workflow(database)
    await log_on(sink_pool, TODAY)
    with psycopg.connect(database, autocommit=True) as killed:
        work = threading.Thread(target=carried_out, args=(killed, f"SELECT headrace_archive_log_partition('{TODAY}')"))
        with holding(database, "LOCK TABLE automation_logs_archive IN SHARE UPDATE EXCLUSIVE MODE"):
            work.start()
            await eventually(lambda: detached(database, killed.info.backend_pid), within=20)
            execute(database, "SELECT pg_terminate_backend(%s)", killed.info.backend_pid)
            work.join()
    assert TODAY in days_of(database, "automation_logs")
    assert rows(database, "automation_logs") == 1
    calendar.today = TODAY + timedelta(91)
    await kept(calendar, scheduler_pool).maintain()
    assert rows(database, "automation_logs_archive") == 1


def carried_out(connection: psycopg.Connection, statement: str) -> None:
    """Carry a statement out until its connection is cut."""
    with pytest.raises(psycopg.OperationalError):
        connection.execute(statement.encode())


def detached(database: str, pid: int) -> bool:
    """Whether a process has the log to itself, and waits for the archive."""
    query = (
        "SELECT count(*) = 2 FROM pg_locks WHERE pid = %s AND (relation = 'automation_logs'::regclass"
        " AND mode = 'AccessExclusiveLock' AND granted"
        " OR relation = 'automation_logs_archive'::regclass AND NOT granted)"
    )
    return bool(execute(database, query, pid)[0][0])


@pytest.mark.parametrize("ended", ["pending", "alone"])
async def test_a_day_that_somebody_half_detached_is_brought_to_the_archive(
    ended: str, calendar: Calendar, scheduler_pool: Pool, sink_pool: Pool, database: str
) -> None:
    """DETACH CONCURRENTLY by hand, killed: the day is pending, or belongs to nobody. Its rows are found again."""
    add_workflow(database)
    await log_on(sink_pool, TODAY)
    name = f"automation_logs_{TODAY:%Y%m%d}"
    if ended == "alone":
        execute(database, f"ALTER TABLE automation_logs DETACH PARTITION {name}")
    else:
        await half_detach(database, name)
    assert rows(database, "automation_logs") == 0
    calendar.today = TODAY + timedelta(91)
    done = await kept(calendar, scheduler_pool).maintain()
    assert TODAY in ran([*done.archived])
    assert rows(database, "automation_logs_archive") == 1


async def half_detach(database: str, name: str) -> None:
    """Detach a partition concurrently, and be killed while somebody still reads it."""
    with psycopg.connect(database, autocommit=True) as killed:
        statement = f"ALTER TABLE automation_logs DETACH PARTITION {name} CONCURRENTLY"
        work = threading.Thread(target=carried_out, args=(killed, statement))
        with holding(database, "SELECT count(*) FROM automation_logs"):
            work.start()
            query = "SELECT count(*) FROM pg_inherits WHERE inhdetachpending"
            await eventually(lambda: execute(database, query) == [(1,)], within=20)
            execute(database, "SELECT pg_terminate_backend(%s)", killed.info.backend_pid)
            work.join()


def test_an_archive_that_is_gone_before_it_begins_is_refused() -> None:
    """Days count from when an execution ran, for both: what leaves the archive must have come to it."""
    with pytest.raises(ValueError, match="HEADRACE_LOG_ARCHIVE_RETENTION_DAYS"):
        Settings(log_retention_days=90, log_archive_retention_days=90)
