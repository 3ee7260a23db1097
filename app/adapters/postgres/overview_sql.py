"""The overview's statements. What is read is bounded, so that a look stays cheap however many executions a day has."""

from typing import Final

from sqlalchemy import TextClause, text

_HOURS: Final = """
hours AS (
  SELECT n, CAST(:since AS timestamptz) + n * interval '1 hour' AS low,
    CAST(:since AS timestamptz) + (n + 1) * interval '1 hour' AS high
  FROM generate_series(0, 23) AS n
)"""
# An hour's executions of each status (or workflow): counted in its index alone, and the newest of them looked at. The
# day's bounds stand beside the hour's for the planner, to leave other days' partitions out.
_DAY: Final = """
WITH {hours}, counted AS MATERIALIZED (
  SELECT k.key, h.n, h.low, h.high, c.count FROM ({keys}) AS k (key) CROSS JOIN hours h CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
      SELECT FROM automation_logs WHERE {column} = k.key AND executed_at >= h.low AND executed_at < h.high
        AND executed_at >= :since AND executed_at < :until LIMIT 20001) AS found
  ) AS c WHERE c.count > 0
), looked AS MATERIALIZED (
  SELECT c.n, c.count, r.status, r.ms, r.steps, count(*) OVER (PARTITION BY c.key, c.n) AS seen
  FROM counted c CROSS JOIN LATERAL (
    SELECT status, CASE WHEN status IN ('failed', 'partial', 'timed_out') THEN actions_executed END AS steps,
      CASE WHEN status NOT IN ('skipped', 'blocked') THEN greatest(execution_duration_ms, 0) END AS ms
    FROM automation_logs WHERE {column} = c.key AND executed_at >= c.low AND executed_at < c.high
      AND executed_at >= :since AND executed_at < :until ORDER BY executed_at DESC LIMIT :each
  ) AS r
)
SELECT n AS hour, status, sum(count::float8 / seen) AS number,
  CASE WHEN ms IS NULL THEN NULL ELSE round(ms::numeric, 1 - floor(log(greatest(ms, 1)))::integer)::float8 END AS ms,
  coalesce(sum(count::float8 / seen * (
    SELECT count(*) FROM jsonb_array_elements(
      CASE jsonb_typeof(steps) WHEN 'array' THEN steps END) AS step WHERE step ->> 'status' = 'failed')), 0)::float8
    AS failed_steps,
  bool_and(count = seen) AS is_counted
FROM looked GROUP BY 1, 2, 4
"""
_STATUSES: Final = "SELECT unnest(ARRAY['success', 'failed', 'partial', 'timed_out', 'stopped', 'skipped', 'blocked'])"
DAY: Final = text(_DAY.format(hours=_HOURS, keys=_STATUSES, column="status"))
DAY_OF: Final = text(_DAY.format(hours=_HOURS, keys="SELECT unnest(CAST(:ids AS uuid[]))", column="automation_id"))

# Those of the caller's that have an execution in the time that is looked at.
OWN: Final = text("""
SELECT a.id FROM (
  SELECT id FROM automations WHERE created_by = :caller ORDER BY updated_at DESC LIMIT 2000
) AS a
WHERE EXISTS (
  SELECT FROM automation_logs l WHERE l.automation_id = a.id AND l.executed_at >= :since AND l.executed_at < :until
  OFFSET 0)
""")
_DUE: Final = """
SELECT floor(extract(epoch FROM due - :since) / 3600)::integer AS hour, count(*) AS number FROM (
  SELECT greatest(due, :since) AS due FROM timers WHERE due < :until {whose} ORDER BY due LIMIT 20000
) AS found GROUP BY 1
"""
_WHOSE: Final = "AND workflow_id IN (SELECT id FROM automations WHERE created_by = :caller)"

# Errors that differ in numbers alone are one error.
_FAILING: Final = """
WITH failed AS MATERIALIZED (
  SELECT automation_id, executed_at, left(error_message, 300) AS error FROM automation_logs
  WHERE (error_message IS NOT NULL OR status IN ('failed', 'partial', 'timed_out', 'blocked', 'stopped'))
    AND executed_at >= :since AND status IN ('failed', 'partial', 'timed_out') {whose}
  ORDER BY executed_at DESC LIMIT 2001
), ranked AS (
  SELECT automation_id, count(*) AS failures FROM failed GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5
), errors AS (
  SELECT DISTINCT ON (automation_id) automation_id, error, times FROM (
    SELECT automation_id, max(error) AS error, count(error) AS times FROM failed
    WHERE automation_id IN (SELECT automation_id FROM ranked)
    GROUP BY automation_id, regexp_replace(error, '[0-9]+', '#', 'g')
  ) AS alike ORDER BY automation_id, times DESC
)
SELECT total.*, r.automation_id AS workflow_id, a.name, r.failures, e.error, e.times
FROM (
  SELECT count(*) AS looked_at, count(*) FILTER (WHERE executed_at >= :recent) AS executions,
    count(DISTINCT automation_id) FILTER (WHERE executed_at >= :recent) AS workflows FROM failed
) AS total
LEFT JOIN ranked r ON true
LEFT JOIN errors e ON e.automation_id = r.automation_id
LEFT JOIN automations a ON a.id = r.automation_id
ORDER BY r.failures DESC, r.automation_id
"""
ALERTS: Final = text("SELECT name, subjects FROM alert_states")


def due(*, own: bool) -> TextClause:
    """Return the statement of what waits, of everybody or of one caller."""
    return text(_DUE.format(whose=_WHOSE if own else ""))


def failing(*, own: bool) -> TextClause:
    """Return the statement of what fails, of everybody or of some workflows."""
    return text(_FAILING.format(whose="AND automation_id = ANY(CAST(:ids AS uuid[]))" if own else ""))
