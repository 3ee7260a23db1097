"""The feed of the execution log in Postgres: one look tells everybody's news, and rows are read as those who may."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Uuid, and_, bindparam, func, select, text

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.execution_pages import LISTED, summaries
from app.adapters.postgres.logged_rows import summary
from app.adapters.postgres.schema import LOGS
from app.domain.callers import Caller
from app.domain.snapshots import Snapshot
from app.ports.executions import ExecutionSummary
from app.ports.following import Look, News

MOST: Final = 5000

# What no snapshot of now sees was written into another database, of which this one is a copy.
_LOOK: Final = text("""
WITH now AS MATERIALIZED (SELECT pg_current_snapshot() AS upto)
SELECT now.upto::text, CAST(:since AS pg_snapshot) IS NOT NULL
    AND pg_snapshot_xmax(CAST(:since AS pg_snapshot)) > pg_snapshot_xmax(now.upto) AS foreign_one, news.*
FROM now LEFT JOIN LATERAL (
  SELECT f.txid::text::bigint, f.seq, one.place, one.id, one.at, a.created_by
  FROM (
    SELECT * FROM execution_feed
    WHERE txid >= pg_snapshot_xmin(CAST(:since AS pg_snapshot)) AND txid < pg_snapshot_xmax(now.upto)
      AND NOT pg_visible_in_snapshot(txid, CAST(:since AS pg_snapshot)) AND pg_visible_in_snapshot(txid, now.upto)
    ORDER BY txid, seq LIMIT :most
  ) AS f
  CROSS JOIN LATERAL unnest(f.ids, f.times, f.workflows) WITH ORDINALITY AS one (id, at, workflow, place)
  JOIN automations a ON a.id = one.workflow
  LIMIT :most
) AS news ON true
""")


class PostgresFeed:
    """Implements ``app.ports.following.Feed``.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def look(self, since: Snapshot | None) -> Look:
        """Ask in the API's own role: who may see which execution is not told of here."""
        given = {"since": None if since is None else str(since), "most": MOST + 1}
        async with self._database.serving() as connection:
            rows = (await connection.execute(_LOOK, given)).all()
        upto = Snapshot.read(rows[0][0])
        assert upto is not None, "Postgres writes snapshots as it says"
        news = sorted(
            (News((row[2], row[3], row[4]), row[5], row[6], row[7]) for row in rows if row[2] is not None),
            key=lambda one: one.mark,
        )
        return Look(upto, news, whole=not rows[0][1] and len(news) <= MOST)

    async def read(self, caller: Caller, news: Sequence[News]) -> Mapping[UUID, ExecutionSummary]:
        """Read rows as row level security lets the caller."""
        async with self._database.reading(caller) as connection:
            rows = (await connection.execute(_rows(news))).mappings().all()
        return {row["id"]: summary(dict(row)) for row in rows}


def _rows(news: Sequence[News]) -> Any:
    times = [one.executed_at for one in news]
    ids = bindparam("ids", [one.execution_id for one in news], type_=ARRAY(Uuid))
    wanted = (
        func.unnest(ids, bindparam("times", times, type_=ARRAY(DateTime(timezone=True))))
        .table_valued("id", "at")
        .render_derived(name="wanted")
    )
    at = LOGS.c.executed_at
    same = and_(LOGS.c.id == wanted.c.id, at == wanted.c.at)
    # The bounds say nothing new, but let the planner leave out other days' partitions.
    found = (
        select(*(LOGS.c[name] for name in LISTED))
        .select_from(wanted)
        .join(LOGS, same)
        .where(at >= min(times), at <= max(times))
    )
    return summaries(found.subquery("rows"))
