"""The ceiling's Postgres: claims before the effect, everything else in one transaction after it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
import psycopg

from tests.benchmarks.ceiling_job import TAG, VERSION, Job, log_line

_KEYS: Final = """
INSERT INTO execution_keys (execution_id, version, executed_at, attempt)
SELECT id, %s, at, 1 FROM unnest(%b::uuid[], %b::timestamptz[]) AS k (id, at)
ON CONFLICT (execution_id) DO UPDATE SET attempt = greatest(execution_keys.attempt, 1)
RETURNING execution_id, executed_at
"""
_CLAIM: Final = """
INSERT INTO receipts (command_id, execution_id, owner, lease_until)
SELECT command, execution, %s, now() + interval '37 seconds'
FROM unnest(%b::uuid[], %b::uuid[]) AS c (command, execution)
ON CONFLICT (command_id) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
WHERE receipts.result IS NULL
RETURNING command_id, xmax <> 0
"""
_FINISH: Final = """
UPDATE receipts SET result = r.result::jsonb FROM unnest(%b::uuid[], %b::text[]) AS r (command, result)
WHERE receipts.command_id = r.command AND receipts.owner = %s
"""
_TAGS: Final = """
WITH fresh AS (
  INSERT INTO receipts (command_id, execution_id, owner, lease_until, result)
  SELECT command, execution, %(owner)s, now(), '{"status": "success"}'
  FROM unnest(%(commands)b::uuid[], %(executions)b::uuid[]) AS c (command, execution)
  ON CONFLICT (command_id) DO NOTHING RETURNING command_id
), tagged AS (
  INSERT INTO customer_tags (customer_id, tag)
  SELECT DISTINCT customer, %(tag)s FROM unnest(%(commands)b::uuid[], %(customers)b::text[]) AS t (command, customer)
  JOIN fresh ON fresh.command_id = t.command
  ORDER BY 1 ON CONFLICT DO NOTHING
)
SELECT command_id FROM fresh
"""
_COPY: Final = """
COPY automation_logs (id, automation_id, trigger_event, conditions_met, conditions_result, actions_executed, status,
execution_duration_ms, executed_at) FROM STDIN
"""


class Store:
    """Two connections, so that one batch is claimed while the one before it is finished."""

    def __init__(
        self, claiming: psycopg.AsyncConnection[Any], finishing: psycopg.AsyncConnection[Any], owner: str
    ) -> None:
        self._claiming = claiming
        self._finishing = finishing
        self._owner = owner

    async def claim(self, jobs: Sequence[Job]) -> list[Job]:
        """Claim each job's webhook; returns those whose effect is to be carried out."""
        ids = [job.execution_id for job in jobs]
        async with self._claiming.transaction(), self._claiming.pipeline(), self._claiming.cursor() as keys:
            await keys.execute(_KEYS, (VERSION, ids, [job.matched_at for job in jobs]), binary=True)
            claims = await self._claiming.execute(
                _CLAIM, (self._owner, [job.webhook_id for job in jobs], ids), binary=True
            )
            first = dict(await keys.fetchall())
            again = dict(await claims.fetchall())
        for job in jobs:
            job.matched_at = first[job.execution_id]
            job.uncertain = again.get(job.webhook_id, False)
        return [job for job in jobs if job.webhook_id in again]

    async def finish(self, workflow: UUID, ran: Sequence[Job], jobs: Sequence[Job]) -> None:
        """Store results, apply tags and log, in one transaction.

        Args:
            workflow: The workflow that ran.
            ran: Jobs whose webhook was posted just now.
            jobs: All jobs of the batch; one that was logged before is known by its tag's receipt.
        """
        met = [job for job in jobs if job.met]
        async with self._finishing.transaction():
            fresh = await self._record(ran, met)
            now = datetime.now(UTC)
            lines = [log_line(workflow, job, now) for job in met if job.tag_id in fresh]
            async with self._finishing.cursor() as cursor, cursor.copy(_COPY) as copy:
                await copy.write(b"".join(lines))

    async def _record(self, ran: Sequence[Job], met: Sequence[Job]) -> set[UUID]:
        results = [orjson.dumps(job.results[0]).decode() for job in ran]
        tags = {
            "owner": self._owner,
            "tag": TAG,
            "commands": [job.tag_id for job in met],
            "executions": [job.execution_id for job in met],
            "customers": [job.customer for job in met],
        }
        async with self._finishing.pipeline():
            await self._finishing.execute(_FINISH, ([job.webhook_id for job in ran], results, self._owner), binary=True)
            fresh = await self._finishing.execute(_TAGS, tags, binary=True)
            return {row[0] for row in await fresh.fetchall()}
