"""The statements of the execution log: one round trip writes a batch of finished executions.

Keys are looked up one by one, under any plan (see ``receipts_sql``). Postgres itself takes the rows out
of the JSON that Kafka carried: nothing is decoded twice, and numbers stay exact.
"""

from typing import Final

# An execution's version and time are its first writer's. A run's key is there already, made by its first step's claim,
# and is not touched. `fresh` may miss a key that another process commits at this very moment: such a row comes back
# as `again`. Of what failed the workflow is noted, for its owner to be told (the scheduler does). `fed` is one row a
# batch, by which whoever follows the log learns what is new (`execution_feed`).
# When a workflow ran last is noted to 10 seconds, so that a busy one costs a look and no write.
_WRITE: Final = """
WITH batch AS MATERIALIZED (
  SELECT DISTINCT ON (b.execution_id) b.*, k.version AS known_version, k.attempt AS known_attempt,
    k.executed_at AS known_executed_at
  FROM unnest(%s::jsonb[]) WITH ORDINALITY AS docs (doc, position), LATERAL (
    SELECT docs.position, d.* FROM jsonb_to_record(doc) AS d (
      execution_id uuid, attempt integer, workflow_id uuid, version integer, entity text, event jsonb,
      conditions_met boolean, verdicts jsonb, results jsonb, status text, error text, executed_at timestamptz,
      duration_ms integer, event_at text)) AS b
  LEFT JOIN LATERAL (
    SELECT version, attempt, executed_at FROM execution_keys WHERE execution_id = b.execution_id OFFSET 0
  ) AS k ON true
  ORDER BY b.execution_id, b.attempt DESC, b.position
), fresh AS (
  INSERT INTO execution_keys AS k (execution_id, version, executed_at, attempt)
  SELECT execution_id, version, executed_at, attempt FROM batch
  WHERE known_attempt IS NULL OR known_attempt < attempt ORDER BY execution_id
  ON CONFLICT (execution_id) DO UPDATE SET version = excluded.version, attempt = excluded.attempt
  WHERE k.attempt < excluded.attempt
  RETURNING execution_id, version, executed_at, attempt
), settled AS MATERIALIZED (
  SELECT b.*, coalesce(f.executed_at, known_executed_at) AS settled_at,
    CASE WHEN f.attempt IS NULL AND (known_attempt IS NULL OR known_attempt < b.attempt) THEN 'again'
         WHEN b.attempt < coalesce(f.attempt, known_attempt) THEN 'attempt'
         WHEN b.version <> coalesce(f.version, known_version) THEN 'version' END AS dropped
  FROM batch b LEFT JOIN fresh f ON f.execution_id = b.execution_id
), horizon AS MATERIALIZED (
  SELECT live_from::timestamp AT TIME ZONE 'UTC' AS live_from FROM automation_logs_horizon
), live AS ({live}
), late AS ({late}
), fed AS (
  INSERT INTO execution_feed (ids, times, workflows)
  SELECT array_agg(execution_id ORDER BY position), array_agg(settled_at ORDER BY position),
    array_agg(workflow_id ORDER BY position)
  FROM settled WHERE execution_id IN (SELECT id FROM live) HAVING count(*) > 0
), failing AS (
  INSERT INTO workflow_failures AS f (workflow_id, execution_id, status)
  SELECT DISTINCT ON (workflow_id) workflow_id, execution_id, status FROM settled
  WHERE status IN ('failed', 'partial', 'timed_out')
    AND execution_id IN (SELECT id FROM live UNION ALL SELECT id FROM late)
  ORDER BY workflow_id, settled_at DESC
  ON CONFLICT (workflow_id) DO UPDATE SET failed_at = excluded.failed_at
  WHERE f.failed_at < now() - interval '10 seconds'
), ran AS (
  INSERT INTO automation_last_runs AS r (automation_id, last_run_at)
  SELECT workflow_id, latest FROM (
    SELECT workflow_id, max(settled_at) AS latest FROM settled WHERE dropped IS NULL AND attempt > 0 GROUP BY 1
  ) AS of_batch
  WHERE NOT EXISTS (SELECT FROM automation_last_runs k WHERE k.automation_id = workflow_id
    AND k.last_run_at > latest - interval '10 seconds')
  ORDER BY workflow_id
  ON CONFLICT (automation_id) DO UPDATE SET last_run_at = excluded.last_run_at
  WHERE r.last_run_at < excluded.last_run_at
)
SELECT position, status, settled_at, dropped, execution_id IN (SELECT id FROM live),
  execution_id IN (SELECT id FROM late), event_at
FROM settled
"""

_UPSERT: Final = """
  INSERT INTO {table} AS l (id, automation_id, trigger_event, conditions_met, conditions_result, actions_executed,
    status, error_message, execution_duration_ms, executed_at, attempt, version, event_id, event_type, entity)
  SELECT execution_id, workflow_id, event, conditions_met, coalesce(verdicts, '[]'), coalesce(results, '[]'), status,
    error, coalesce(duration_ms, 0), settled_at, attempt, version, event ->> 'id', event ->> 'type', entity
  FROM settled, horizon WHERE dropped IS NULL AND settled_at {which} live_from
  ON CONFLICT (id, executed_at) DO UPDATE SET trigger_event = excluded.trigger_event,
    conditions_met = excluded.conditions_met, conditions_result = excluded.conditions_result,
    actions_executed = excluded.actions_executed, status = excluded.status, error_message = excluded.error_message,
    execution_duration_ms = excluded.execution_duration_ms, attempt = excluded.attempt, version = excluded.version
  WHERE l.attempt < excluded.attempt
  RETURNING id"""
_LIVE: Final = _UPSERT.format(table="automation_logs", which=">=")
_LATE: Final = _UPSERT.format(table="automation_logs_archive", which="<")
WRITE: Final = _WRITE.format(live=_LIVE, late=_LATE)

# A time far off is nonsense: no partition is made for it, and the row is refused.
MAKE_PARTITIONS: Final = """
SELECT headrace_make_log_partition(day) FROM (
  SELECT DISTINCT (coalesce(k.executed_at, d.executed_at) AT TIME ZONE 'UTC')::date AS day
  FROM unnest(%s::jsonb[]) AS docs (doc), LATERAL
    jsonb_to_record(doc) AS d (execution_id uuid, executed_at timestamptz)
  LEFT JOIN LATERAL (
    SELECT version, attempt, executed_at FROM execution_keys WHERE execution_id = d.execution_id OFFSET 0
  ) AS k ON true
) AS days
WHERE day BETWEEN (now() AT TIME ZONE 'UTC')::date - 3650 AND (now() AT TIME ZONE 'UTC')::date + 7
"""

# Answers with the positions of those that were there before, in the table or earlier in the batch.
STORE_DEAD_LETTERS: Final = """
WITH batch AS MATERIALIZED (
  SELECT position, d.*, coalesce(d.reader, d.role) AS read_by, coalesce(d.digest, '') AS made_of,
    row_number() OVER (PARTITION BY topic, "partition", "offset", coalesce(d.reader, d.role), coalesce(d.digest, '')
      ORDER BY position) AS copy
  FROM unnest(%s::jsonb[]) WITH ORDINALITY AS docs (doc, position), LATERAL jsonb_to_record(doc) AS d (
    topic text, "partition" integer, "offset" bigint, "timestamp" timestamptz, reason text, detail text, key text,
    value text, size integer, cut boolean, headers jsonb, role text, failed_at timestamptz, reader text, digest text,
    event_id text, source text, entity text, barred text)
), stored AS (
  INSERT INTO dead_letters (topic, "partition", "offset", record_timestamp, reason, detail, key, value, size, cut,
    headers, role, failed_at, reader, digest, event_id, source, entity, barred)
  SELECT topic, "partition", "offset",
    CASE WHEN "timestamp" >= '0001-01-02 00:00+00' AND "timestamp" < '9999-12-31 00:00+00' THEN "timestamp" END,
    reason, detail, decode(key, 'base64'), decode(value, 'base64'),
    size, cut, coalesce(headers, '[]'), role, failed_at, read_by, made_of, event_id, source, entity, barred
  FROM batch WHERE copy = 1 ORDER BY topic, "partition", "offset", read_by, made_of
  ON CONFLICT (topic, "partition", "offset", reader, digest) DO NOTHING
  RETURNING topic, "partition", "offset", reader, digest
)
SELECT position FROM batch b WHERE copy > 1 OR NOT EXISTS (
  SELECT FROM stored s WHERE s.topic = b.topic AND s."partition" = b."partition" AND s."offset" = b."offset"
    AND s.reader = b.read_by AND s.digest = b.made_of)
"""
