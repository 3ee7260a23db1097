"""Upkeep of the tables: partitions ahead, old days to the archive, what is past its horizon deleted, tombstones.

Every step may be repeated, and run on several schedulers at once; each is one small transaction, so that it never
holds up the workers for long.
"""

from collections import Counter as Tally
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import psycopg

from app.adapters.postgres.log_partitions import LogPartitions
from app.adapters.postgres.outbox_rows import into_outbox
from app.adapters.postgres.pool import Pool, is_transient
from app.adapters.postgres.reentry_text import read_reentry
from app.domain.errors import UnreachableError
from app.domain.reentry import parse_reentry
from app.metrics.scheduler import LETTERS_REMOVED
from app.services.operations.background import note_failure
from app.settings import Settings
from app.topics import RETENTION, SEGMENT, WORKFLOWS

_BATCH: Final = 2000
_FED: Final = timedelta(hours=2)

DELETE_RECEIPTS: Final = """
DELETE FROM receipts WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM receipts r WHERE created_at < now() - %s::interval
    AND NOT EXISTS (SELECT FROM timers t WHERE t.execution_id = r.execution_id) LIMIT %s FOR UPDATE SKIP LOCKED))
"""
DELETE_KEYS: Final = """
DELETE FROM execution_keys WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM execution_keys k WHERE executed_at < now() - %s::interval
    AND NOT EXISTS (SELECT FROM timers t WHERE t.execution_id = k.execution_id) LIMIT %s FOR UPDATE SKIP LOCKED))
"""
_DELETE_REQUESTS: Final = """
DELETE FROM crm.requests WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM crm.requests WHERE created_at < now() - %s::interval LIMIT %s FOR UPDATE SKIP LOCKED))
"""
# A stream goes on where it broke off within an hour (`app.services.operations.following`): this leaves twice that.
_DELETE_FEED: Final = """
DELETE FROM execution_feed WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM execution_feed WHERE written_at < now() - %s::interval LIMIT %s FOR UPDATE SKIP LOCKED))
"""
_DELETE_NOTIFICATIONS: Final = """
DELETE FROM notifications WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM notifications WHERE created_at < now() - make_interval(days => %s) LIMIT %s FOR UPDATE SKIP LOCKED))
"""
_DELETE_HEARTBEATS: Final = "DELETE FROM heartbeats WHERE seen_at < now() - interval '1 day'"
_DELETE_LETTERS: Final = """
DELETE FROM dead_letters WHERE id = ANY(ARRAY(
  SELECT id FROM dead_letters WHERE failed_at < now() - make_interval(days => %s) ORDER BY failed_at LIMIT %s
  FOR UPDATE SKIP LOCKED))
RETURNING CASE WHEN replayed_at IS NOT NULL THEN 'replayed' WHEN discarded_at IS NOT NULL THEN 'discarded'
  ELSE 'open' END
"""
_SHORTEN_TRAIL: Final = "SELECT headrace_shorten_trail(%s, %s)"
_TOMBSTONES: Final = into_outbox(
    "SELECT %s, convert_to(id::text, 'UTF8'), NULL FROM gone ORDER BY id",
    before="""
WITH gone AS (
  UPDATE automations SET tombstoned_at = now() WHERE id IN (
    SELECT id FROM automations WHERE tombstoned_at IS NULL AND deleted_at < now() - interval '7 days'
    LIMIT %s FOR UPDATE SKIP LOCKED)
  RETURNING id
)
""",
)
_ENTERED: Final = """
SELECT a.id, CASE WHEN a.deleted_at IS NULL THEN a.reentry ELSE 'always' END FROM automations a
WHERE EXISTS (SELECT FROM entries e WHERE e.workflow_id = a.id)
"""
_DELETE_ENTRIES: Final = """
DELETE FROM entries WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM entries WHERE workflow_id = %s AND (key <> %s OR entered_at < now() - %s::interval) LIMIT %s
  FOR UPDATE SKIP LOCKED))
"""


class Maintenance:
    """The upkeep of one installation's tables.

    Args:
        pool: The process's pool.
        settings: The retentions and ``event_max_age_s``.

    Attributes:
        log: The partitions of the execution log.
    """

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self.log = LogPartitions(pool, settings)
        self._retention_days = settings.log_retention_days
        self._letter_days = settings.dead_letter_retention_days
        self._trail_days = settings.audit_retention_days
        self._horizon = max(timedelta(seconds=settings.event_max_age_s), RETENTION) + SEGMENT + timedelta(1)

    async def run(self) -> None:
        """Do everything once; about once an hour is often enough. A step that fails keeps none of the others.

        Raises:
            ExceptionGroup: Steps failed; the next run goes on from there.
            UnreachableError: Postgres was away; the same.
        """
        steps: tuple[Callable[[], Awaitable[object]], ...] = (
            self.log.maintain,
            self.delete_past_horizon,
            self.delete_entries,
            self.delete_old_notifications,
            self.delete_old_dead_letters,
            self.shorten_audit_trail,
            self.delete_old_feed,
            self.put_tombstones,
            self.forget_silent_processes,
        )
        errors: list[Exception] = []
        for step in steps:
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - raised with the others, when the rest is done
                errors.append(error)
        if errors and all(isinstance(one, psycopg.Error) and is_transient(one) for one in errors):
            raise UnreachableError(f"Postgres did not serve the upkeep ({errors[0]})") from errors[0]
        if errors:
            raise ExceptionGroup("upkeep", errors)

    async def delete_past_horizon(self) -> int:
        """Delete receipts, execution keys and answered requests that nothing can ask for any more; returns how many."""
        statements = (DELETE_RECEIPTS, DELETE_KEYS, _DELETE_REQUESTS)
        return sum([await self._delete(statement, self._horizon) for statement in statements])

    async def delete_old_notifications(self) -> int:
        """Delete notifications, read or not, that are as old as what leaves the log; returns how many."""
        return await self._delete(_DELETE_NOTIFICATIONS, self._retention_days)

    async def delete_old_feed(self) -> int:
        """Delete what the feed of the log has of more than two hours ago; returns how many rows."""
        return await self._delete(_DELETE_FEED, _FED)

    async def delete_old_dead_letters(self) -> int:
        """Delete dead letters past their retention, open ones too, counted by what had become of them; how many."""
        deleted = 0
        while True:
            states = await self._rows(_DELETE_LETTERS, self._letter_days, _BATCH)
            for state, count in Tally(row[0] for row in states).items():
                LETTERS_REMOVED.labels(state).inc(count)
            deleted += len(states)
            if len(states) < _BATCH:
                return deleted

    async def shorten_audit_trail(self) -> int:
        """Delete what is past its retention off the audit trail; returns how many."""
        deleted = 0
        while True:
            ((count,),) = await self._rows(_SHORTEN_TRAIL, self._trail_days, _BATCH)
            deleted += int(count)
            if count < _BATCH:
                return deleted

    async def _delete(self, statement: str, age: timedelta | int) -> int:
        deleted = 0
        while True:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(statement.encode(), (age, _BATCH))
            deleted += cursor.rowcount
            if cursor.rowcount < _BATCH:
                return deleted

    async def delete_entries(self) -> int:
        """Delete entries that decide nothing any more; returns how many.

        They are those of workflows that are deleted or have no bound any more, and those whose window was over before
        the oldest event that may still be delivered again.
        """
        deleted = 0
        for workflow_id, text in await self._rows(_ENTERED):
            try:
                reentry = parse_reentry(read_reentry(text))
            except ValueError as error:
                note_failure("maintenance", error, "entries of a workflow", workflow_id=workflow_id)
                continue
            if reentry is None:
                deleted += await self._delete_entries(workflow_id, "", timedelta(0))
            else:
                age = None if reentry.window is None else reentry.window + self._horizon
                deleted += await self._delete_entries(workflow_id, reentry.counted_by, age)
        return deleted

    async def put_tombstones(self) -> int:
        """Put a tombstone into the outbox for each workflow deleted 7 days ago or longer; returns how many."""
        put = 0
        while True:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(_TOMBSTONES, (_BATCH, WORKFLOWS))
            put += cursor.rowcount
            if cursor.rowcount < _BATCH:
                return put

    async def forget_silent_processes(self) -> int:
        """Delete heartbeats of processes that were not seen for a day; returns how many."""
        async with self._pool.connection() as connection:
            return (await connection.execute(_DELETE_HEARTBEATS)).rowcount

    async def _delete_entries(self, workflow_id: UUID, key: str, age: timedelta | None) -> int:
        """Delete those of other keys, and those that are older; no age: none is too old."""
        deleted = 0
        while True:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(_DELETE_ENTRIES.encode(), (workflow_id, key, age, _BATCH))
            deleted += cursor.rowcount
            if cursor.rowcount < _BATCH:
                return deleted

    async def _rows(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(statement.encode(), params)
            return await cursor.fetchall()
