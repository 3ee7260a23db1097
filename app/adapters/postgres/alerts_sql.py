"""The statements of alerts. What is counted is bounded, so that a look stays cheap however long the tables are."""

from typing import Final

from app.adapters.postgres.breakers import HOLDING_UP

NOW: Final = "SELECT extract(epoch FROM now())::float8"
STANDINGS: Final = "SELECT name, subjects, past FROM alert_states"
KEEP: Final = """
INSERT INTO alert_states (name, subjects, past) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET subjects = excluded.subjects, past = excluded.past, changed_at = now()
"""
TELLING: Final = """
SELECT told, tries, extract(epoch FROM next_at)::float8, coalesce(error, '') FROM alert_channels WHERE channel = %s
"""
KEEP_TELLING: Final = """
INSERT INTO alert_channels (channel, told, tries, next_at, error)
VALUES (%s, %s, %s, to_timestamp(%s), nullif(%s, ''))
ON CONFLICT (channel) DO UPDATE SET told = excluded.told, tries = excluded.tries, next_at = excluded.next_at,
  error = excluded.error
"""
# Of the newest 20,000 where five minutes have more, as the API's gauges count them.
READINGS: Final = """
WITH newest AS MATERIALIZED (
  SELECT status, execution_duration_ms, attempt FROM automation_logs
  WHERE executed_at > now() - interval '5 minutes' AND executed_at <= now() ORDER BY executed_at DESC LIMIT 20000
)
SELECT
  1 - coalesce(avg((status IN ('success', 'stopped'))::int) FILTER (WHERE attempt > 0), 1)::float8,
  coalesce(avg(execution_duration_ms) FILTER (WHERE attempt > 0), 0)::float8 / 1000,
  (SELECT coalesce(extract(epoch FROM now() - (
    SELECT created_at FROM outbox WHERE set_aside IS NULL ORDER BY id LIMIT 1)), 0)::float8),
  (SELECT count(*) FROM (SELECT FROM outbox WHERE set_aside IS NOT NULL LIMIT 10001) AS found)
    + (SELECT count(*) FROM (SELECT FROM timers WHERE set_aside IS NOT NULL LIMIT 10001) AS found)
FROM newest
"""
BREAKERS: Final = f"""
SELECT b.destination FROM breakers b WHERE {HOLDING_UP} ORDER BY b.until LIMIT 100
"""  # noqa: S608 - constants only
# Once for each workflow that fails: the row and the note are one statement.
TELL_FAILING: Final = """
WITH begun AS (
  UPDATE workflow_failures f SET told_at = now() FROM automations a
  WHERE a.id = f.workflow_id AND f.workflow_id IN (
    SELECT workflow_id FROM workflow_failures WHERE told_at IS NULL ORDER BY workflow_id LIMIT 500
    FOR UPDATE SKIP LOCKED)
  RETURNING f.workflow_id, f.execution_id, f.status, a.name, a.created_by
)
INSERT INTO notifications (id, user_id, title, body, workflow_id, execution_id)
SELECT gen_random_uuid(), created_by, format('Workflow "%%s" fails', name),
  format('An execution of it ended as %%s; its row in the log says why. You are told again once it works.', status),
  workflow_id, execution_id
FROM begun
"""
# OFFSET 0 keeps the look at the log one look by index for each workflow: joined, it would read months of index.
TELL_WORKING: Final = """
WITH works AS (
  DELETE FROM workflow_failures f USING automations a
  WHERE a.id = f.workflow_id AND f.workflow_id IN (
    SELECT t.workflow_id FROM workflow_failures t
    WHERE t.told_at IS NOT NULL AND t.failed_at < now() - make_interval(secs => %s) AND EXISTS (
      SELECT FROM automation_logs l WHERE l.automation_id = t.workflow_id AND l.executed_at > t.failed_at
        AND l.status = 'success' OFFSET 0)
    ORDER BY t.workflow_id LIMIT 500 FOR UPDATE SKIP LOCKED)
  RETURNING f.workflow_id, f.execution_id, f.since, a.name, a.created_by
)
INSERT INTO notifications (id, user_id, title, body, workflow_id, execution_id)
SELECT gen_random_uuid(), created_by, format('Workflow "%%s" works again', name),
  format('It had failed since %%s UTC.', to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
  workflow_id, execution_id
FROM works
"""
FORGET_DELETED: Final = """
DELETE FROM workflow_failures f USING automations a WHERE a.id = f.workflow_id AND a.deleted_at IS NOT NULL
"""
