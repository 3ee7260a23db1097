"""What became of workflows' newest executions, counted in the log along the index of each workflow's own rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from app.adapters.postgres.api_engine import ApiDatabase
from app.domain.callers import Caller

_COUNTED: Final = text("""
SELECT asked.id, newest.status, count(*) AS runs
FROM unnest(CAST(:ids AS uuid[])) AS asked(id)
CROSS JOIN LATERAL (
  SELECT status FROM automation_logs
  WHERE automation_id = asked.id AND executed_at >= :since
  ORDER BY executed_at DESC LIMIT :most
) AS newest
GROUP BY asked.id, newest.status
""")


class PostgresRecentRuns:
    """Implements ``app.ports.recent_runs.RecentRunsStore``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def counted(
        self, caller: Caller, workflow_ids: Sequence[UUID], since: datetime, most: int
    ) -> Mapping[UUID, Mapping[str, int]]:
        """Count; row level security leaves out what the caller may not see."""
        found: dict[UUID, dict[str, int]] = {}
        given = {"ids": list(workflow_ids), "since": since, "most": most}
        async with self._database.reading(caller) as connection:
            for row in await connection.execute(_COUNTED, given):
                found.setdefault(row.id, {})[row.status] = row.runs
        return found
