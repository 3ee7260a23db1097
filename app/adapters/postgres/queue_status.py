"""What waits in Postgres, counted within bounds."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.breakers import HOLDING_UP
from app.domain.breaker import parts_of
from app.domain.callers import Caller
from app.ports.queue_status import (
    AtWork,
    OpenBreaker,
    OwnerMark,
    OwnStatus,
    RecentRuns,
    SetAside,
    StoreStatus,
    WorkflowCounts,
)

# The bounds keep a look cheap however long the tables are; the indexes serve each of them.
_STATUS: Final = text("""
WITH failed AS MATERIALIZED (
  SELECT CASE jsonb_typeof(actions_executed) WHEN 'array' THEN actions_executed END AS steps FROM automation_logs
  WHERE status IN ('failed', 'partial', 'timed_out') AND executed_at > now() - interval '1 hour' LIMIT 1001
)
SELECT
  (SELECT count(*) FROM (
    SELECT FROM dead_letters WHERE replayed_at IS NULL AND discarded_at IS NULL LIMIT 100001
  ) AS letters) AS dead_letters,
  (SELECT count(*) FROM (SELECT FROM outbox LIMIT 100001) AS waiting) AS outbox,
  (SELECT count(*) FROM (SELECT FROM timers LIMIT 100001) AS waiting) AS parked,
  coalesce(extract(epoch FROM now() - (
    SELECT created_at FROM outbox WHERE set_aside IS NULL ORDER BY id LIMIT 1)), 0)::float8
    AS outbox_oldest_s,
  (SELECT count(*) FROM failed) AS failed_executions,
  (SELECT count(*) FROM failed, jsonb_array_elements(steps) AS one WHERE one ->> 'status' = 'failed')
    AS failed_actions
""")
# Whose they are is said here too: an administrator, too, has some of their own.
_OWN: Final = text("""
WITH mine AS MATERIALIZED (SELECT id FROM automations WHERE created_by = :caller),
failed AS MATERIALIZED (
  SELECT CASE jsonb_typeof(actions_executed) WHEN 'array' THEN actions_executed END AS steps FROM automation_logs
  WHERE automation_id IN (SELECT id FROM mine) AND status IN ('failed', 'partial', 'timed_out')
    AND executed_at > now() - interval '1 hour' LIMIT 1001
)
SELECT
  (SELECT count(*) FROM (
    SELECT FROM timers WHERE workflow_id IN (SELECT id FROM mine) LIMIT 10001) AS waiting) AS parked,
  (SELECT count(*) FROM failed) AS failed_executions,
  (SELECT count(*) FROM failed, jsonb_array_elements(steps) AS one WHERE one ->> 'status' = 'failed')
    AS failed_actions
""")
# Of every owner who is asked for in one statement, in the API's own role.
_MARKS: Final = text("""
SELECT owner.id, (
    SELECT count(*) FROM (
      SELECT FROM timers WHERE workflow_id IN (SELECT a.id FROM automations a WHERE a.created_by = owner.id)
      LIMIT 10001) AS waiting
  ) AS parked, failed.count, failed.newest
FROM unnest(CAST(:owners AS uuid[])) AS owner (id) CROSS JOIN LATERAL (
  SELECT count(*) AS count, max(executed_at) AS newest FROM (
    SELECT executed_at FROM automation_logs
    WHERE automation_id IN (SELECT a.id FROM automations a WHERE a.created_by = owner.id)
      AND status IN ('failed', 'partial', 'timed_out') AND executed_at > now() - interval '1 hour' LIMIT 1001) AS found
) AS failed
""")
_WORKFLOWS: Final = text("""
SELECT count(*) AS created, count(*) FILTER (WHERE active AND deleted_at IS NULL) AS active FROM automations
""")
# Of the newest 20,000 where five minutes have more: a look costs some tens of milliseconds at any rate of executions.
_RECENT: Final = text("""
WITH newest AS MATERIALIZED (
  SELECT executed_at, status, execution_duration_ms, status NOT IN ('skipped', 'blocked') AS ran FROM automation_logs
  WHERE executed_at > now() - interval '5 minutes' AND executed_at <= now() ORDER BY executed_at DESC LIMIT 20000
)
SELECT count(*) FILTER (WHERE ran) * 60
    / CASE WHEN count(*) < 20000 THEN 300 ELSE greatest(1, extract(epoch FROM now() - min(executed_at))) END::float8
    AS per_minute,
  coalesce(avg((status IN ('success', 'stopped'))::int) FILTER (WHERE ran), 1)::float8 AS success_rate,
  coalesce(avg(execution_duration_ms) FILTER (WHERE ran), 0)::float8 / 1000 AS seconds
FROM newest
""")
# What a process says of itself every ten seconds; one that has missed three is not there.
_AT_WORK: Final = text("""
SELECT role, count(*) AS processes,
  sum((figures ->> 'headrace_worker_unfinished_records')::float8)::bigint AS in_flight,
  max((figures ->> 'headrace_partition_still_seconds')::float8) AS oldest_s
FROM heartbeats WHERE stopped_at IS NULL AND seen_at > now() - interval '30 seconds' GROUP BY role
""")
_BREAKERS: Final = text(f"""
SELECT destination, reason, until, until <= now() AS half_open, (
    SELECT count(*) FROM (
      SELECT FROM timers t WHERE t.kind = 'circuit' AND t.destination = b.destination LIMIT 1001) AS found
  ) AS waiting
FROM breakers b WHERE {HOLDING_UP} ORDER BY until LIMIT 100
""")  # noqa: S608 - constants only
_SET_ASIDE: Final = text("""
SELECT kind, topic, set_aside AS reason, min(error) AS error, count(*) AS count, min(created_at) AS oldest FROM (
  (SELECT 'outbox' AS kind, topic, set_aside, error, created_at FROM outbox WHERE set_aside IS NOT NULL LIMIT 10001)
  UNION ALL
  (SELECT 'timer', topic, set_aside, error, created_at FROM timers WHERE set_aside IS NOT NULL LIMIT 10001)
) AS found
GROUP BY kind, topic, set_aside ORDER BY kind, topic, set_aside LIMIT 100
""")


class PostgresQueueStatus:
    """Implements ``app.ports.queue_status.StatusStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def status(self) -> StoreStatus:
        """Count it."""
        async with self._database.serving() as connection:
            row = (await connection.execute(_STATUS)).one()
            breakers = (await connection.execute(_BREAKERS)).mappings().all()
            set_aside = (await connection.execute(_SET_ASIDE)).mappings().all()
        return StoreStatus(
            parked=row.parked,
            dead_letters=row.dead_letters,
            outbox=row.outbox,
            outbox_oldest_s=round(row.outbox_oldest_s, 3),
            failed_executions=row.failed_executions,
            failed_actions=row.failed_actions,
            breakers=[_open_breaker(breaker) for breaker in breakers],
            set_aside=[SetAside.model_validate(dict(found)) for found in set_aside],
        )

    async def at_work(self) -> Mapping[str, AtWork]:
        """Return what each role's living processes say of themselves."""
        async with self._database.serving() as connection:
            rows = (await connection.execute(_AT_WORK)).all()
        return {row.role: AtWork(row.processes, row.in_flight, row.oldest_s) for row in rows}

    async def own(self, caller: Caller) -> OwnStatus:
        """Count what is of the caller's workflows, on their behalf."""
        async with self._database.reading(caller) as connection:
            row = (await connection.execute(_OWN, {"caller": caller.user_id})).mappings().one()
        return OwnStatus.model_validate(dict(row))

    async def marks(self, owners: Collection[UUID]) -> Mapping[UUID, OwnerMark]:
        """Return each owner's mark, in the API's own role: what callers are told is read on their behalf."""
        async with self._database.serving() as connection:
            rows = (await connection.execute(_MARKS, {"owners": list(owners)})).all()
        return {row[0]: OwnerMark(row[1], row[2], row[3]) for row in rows}

    async def workflows(self) -> WorkflowCounts:
        """Count workflows."""
        async with self._database.serving() as connection:
            row = (await connection.execute(_WORKFLOWS)).one()
        return WorkflowCounts(row.created, row.active)

    async def recent(self) -> RecentRuns:
        """Tell how executions went of late."""
        async with self._database.serving() as connection:
            row = (await connection.execute(_RECENT)).one()
        return RecentRuns(row.per_minute, row.success_rate, row.seconds)


def _open_breaker(row: Mapping[Any, Any]) -> OpenBreaker:
    destination, owner = parts_of(row["destination"])
    return OpenBreaker.model_validate({**row, "destination": destination, "owner": owner})
