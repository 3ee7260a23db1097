"""The execution log's days: partitions made ahead, old ones to the archive, and what is too old even for that removed.

Each day is one transaction of some milliseconds, by a function of the database (``headrace_archive_log_partition``):
killed half way nothing has happened. Detaching needs the whole log for a moment, and whoever waits for that stands
before everybody who comes later. So it waits for no longer than ``LOCK_WAIT``, which is what the sink may be held up
for, and tries again a few times; what is busy still is left for the next run. ``DETACH CONCURRENTLY`` would hold up
nobody, but takes the tables' owner, which no role of ours is, and leaves a day that is neither here nor there when it
is killed. Such a day, where somebody did that by hand, is brought to its end as well.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from psycopg.errors import LockNotAvailable

from app.adapters.postgres.pool import Pool
from app.metrics.scheduler import LOG_DAYS
from app.settings import Settings

log = logging.getLogger(__name__)

AHEAD: Final = 7
LOCK_WAIT: Final = "200ms"
TRIES: Final = 5
PAUSE_S: Final = 0.5

_MAKE: Final = "SELECT headrace_make_log_partition(%s)"
_ARCHIVE: Final = "SELECT headrace_archive_log_partition(%s)"
_REMOVE: Final = "SELECT headrace_remove_archived_log_partition(%s)"
_DAYS: Final = """
SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day, pg_total_relation_size(c.oid), greatest(c.reltuples, 0)::bigint
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^automation_logs_[0-9]{8}$'
  AND EXISTS (SELECT FROM pg_inherits i
              WHERE i.inhrelid = c.oid AND i.inhparent = 'automation_logs_archive'::regclass) = %s
ORDER BY day
"""


@dataclass(frozen=True, slots=True)
class Day:
    """A day's partition: its bytes with indexes, and about how many rows it has."""

    day: date
    size: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What is done, or was done.

    Attributes:
        made: Days that get a partition.
        archived: Days that go to the archive.
        removed: Days that the archive loses.
        busy: Days that were to be worked on, and are left for the next run.
    """

    made: Sequence[Day] = ()
    archived: Sequence[Day] = ()
    removed: Sequence[Day] = ()
    busy: Sequence[Day] = ()


def utc_today() -> date:
    """Return the day, in UTC, by which the log is partitioned."""
    return datetime.now(UTC).date()


class LogPartitions:
    """The partitions of one installation's log.

    Args:
        pool: The scheduler's pool.
        settings: The retentions.
        today: The day, in UTC.
        pause: Waits some seconds.
    """

    def __init__(
        self,
        pool: Pool,
        settings: Settings,
        *,
        today: Callable[[], date] = utc_today,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pool = pool
        self._kept = settings.log_retention_days
        self._archived = settings.log_archive_retention_days
        self._today = today
        self._pause = pause

    async def plan(self) -> Upkeep:
        """Return what there is to do, and do nothing."""
        today = self._today()
        live, archived = await self._days(archived=False), await self._days(archived=True)
        there = {one.day for one in (*live, *archived)}
        ahead = [today + timedelta(days) for days in range(-1, AHEAD + 1)]
        oldest = today - timedelta(self._archived) if self._archived else date.min
        old = [one for one in live if one.day < today - timedelta(self._kept)]
        return Upkeep(
            made=[Day(day) for day in ahead if day not in there],
            archived=old,
            removed=[one for one in (*archived, *old) if one.day < oldest],
        )

    async def maintain(self) -> Upkeep:
        """Do what there is to do, the oldest day first; several may do so at a time, and it may be repeated."""
        plan = await self.plan()
        made = await self._each(_MAKE, plan.made, "made")
        archived = await self._each(_ARCHIVE, plan.archived, "archived")
        # The horizon moves also over days that have no partition: what comes for them late goes to the archive.
        await self._settled(_ARCHIVE, self._today() - timedelta(self._kept + 1))
        removed = await self._each(_REMOVE, [one for one in plan.removed if one not in archived[1]], "removed")
        done = Upkeep(made[0], archived[0], removed[0], (*made[1], *archived[1], *removed[1]))
        _say(done)
        return done

    async def _each(self, statement: str, days: Sequence[Day], outcome: str) -> tuple[list[Day], Sequence[Day]]:
        """Work on some days; returns those that are done, and those that are left since the log is busy."""
        done: list[Day] = []
        for at, one in enumerate(days):
            if not await self._settled(statement, one.day):
                LOG_DAYS.labels("busy").inc(len(days) - at)
                return done, days[at:]
            done.append(one)
            LOG_DAYS.labels(outcome).inc()
        return done, ()

    async def _settled(self, statement: str, day: date) -> bool:
        for left in reversed(range(TRIES)):
            try:
                async with self._pool.connection() as connection, connection.transaction():
                    await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'".encode())
                    await connection.execute(statement.encode(), (day,))
            except LockNotAvailable:
                if left:
                    await self._pause(PAUSE_S)
            else:
                return True
        return False

    async def _days(self, *, archived: bool) -> list[Day]:
        async with self._pool.connection() as connection:
            rows: list[tuple[Any, ...]] = await (await connection.execute(_DAYS.encode(), (archived,))).fetchall()
        return [Day(*row) for row in rows]


def _say(done: Upkeep) -> None:
    for outcome in ("archived", "removed"):
        days = [f"{one.day}" for one in getattr(done, outcome)]
        if days:
            log.info("days of the log: %s", outcome, extra={"days": days})
    if done.busy:
        log.warning("the log is busy; the rest follows", extra={"days": [f"{one.day}" for one in done.busy]})
