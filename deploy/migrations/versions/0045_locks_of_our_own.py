"""Let what holds a duty up be locks that only our roles can take, instead of advisory locks, which are anybody's.

A scheduler leads by locking a view that is there for nothing else (a view is never vacuumed, so that nothing waits for
who leads), the API takes turns by a row of ``turns``, and partitions are made under the lock of the horizon's table.
The mode is SHARE UPDATE EXCLUSIVE: whoever may name a table can take up to ROW EXCLUSIVE on it, by preparing a
statement that they may not execute, and that mode alone keeps itself out but not what they can take.
"""

from typing import Final

from alembic import op

revision = "0045"
down_revision = "0043"

_LEADERS: Final = """
CREATE VIEW relay_leader AS SELECT 'Whoever locks this is the relay of the outbox'::text AS meaning;
CREATE VIEW circuit_leader AS SELECT 'Whoever locks this lets go what waits for circuits'::text AS meaning;
CREATE VIEW quota_leader AS SELECT 'Whoever locks this lets go what waits for quotas'::text AS meaning;
"""
_TURNS: Final = """
CREATE TABLE turns (name text PRIMARY KEY);
COMMENT ON TABLE turns IS 'Rows that the API locks where two transactions at once would step over a limit';
ALTER TABLE turns ENABLE ROW LEVEL SECURITY;
ALTER TABLE turns FORCE ROW LEVEL SECURITY;
CREATE POLICY service ON turns TO headrace_rows, headrace_service USING (true) WITH CHECK (true);
"""
# Supabase grants what is new in `public` to its roles by default. A lock needs the grant to update, not to read.
_GRANTS: Final = """
DO $$
DECLARE
  stranger text;
BEGIN
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
    EXECUTE format('REVOKE ALL ON relay_leader, circuit_leader, quota_leader, turns FROM PUBLIC, %I', stranger);
  END LOOP;
END $$;
GRANT UPDATE ON relay_leader, circuit_leader, quota_leader TO headrace_scheduler;
GRANT SELECT, INSERT, UPDATE ON turns TO headrace_api;
"""
_MAKE_PARTITION: Final = """
CREATE OR REPLACE FUNCTION headrace_make_log_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  child text := 'automation_logs_' || to_char(day, 'YYYYMMDD');
  bounds text := format('executed_at >= %L AND executed_at < %L', day::timestamptz, (day + 1)::timestamptz);
  parent text := 'automation_logs';
  stranger text;
BEGIN
  LOCK TABLE automation_logs_horizon IN SHARE UPDATE EXCLUSIVE MODE;
  IF to_regclass('public.' || child) IS NOT NULL THEN
    RETURN false;
  END IF;
  IF day < (SELECT live_from FROM automation_logs_horizon) THEN
    parent := 'automation_logs_archive';
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS, CONSTRAINT %I CHECK (%s))',
                 child, parent, child || '_day', bounds);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', child);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', child);
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
    EXECUTE format('REVOKE ALL ON %I FROM %I', child, stranger);
  END LOOP;
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                 parent, child, day::timestamptz, (day + 1)::timestamptz);
  RETURN true;
END $$;
"""
_ARCHIVE_PARTITION: Final = """
CREATE OR REPLACE FUNCTION headrace_archive_log_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  child text := 'automation_logs_' || to_char(day, 'YYYYMMDD');
BEGIN
  LOCK TABLE automation_logs_horizon IN SHARE UPDATE EXCLUSIVE MODE;
  UPDATE automation_logs_horizon SET live_from = day + 1 WHERE live_from <= day;
  IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass('public.' || child)
                 AND inhparent = 'automation_logs'::regclass) THEN
    RETURN false;
  END IF;
  EXECUTE format('ALTER TABLE automation_logs DETACH PARTITION %I', child);
  EXECUTE format('ALTER TABLE automation_logs_archive ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                 child, day::timestamptz, (day + 1)::timestamptz);
  RETURN true;
END $$;
"""


def upgrade() -> None:
    """Apply."""
    for part in (_LEADERS, _TURNS, _GRANTS, _MAKE_PARTITION, _ARCHIVE_PARTITION):
        op.execute(part)
