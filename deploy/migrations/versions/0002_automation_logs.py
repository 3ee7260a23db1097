"""Create the automation_logs table, partitioned by day, and its archive with the same columns.

A day's partition is called ``automation_logs_YYYYMMDD`` and hangs on one of the two: on the archive before
``automation_logs_horizon.live_from``, else on the log. What makes and moves partitions are functions that run as the
tables' owner, because the workers' role owns nothing.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

_COLUMNS = """
  id UUID NOT NULL DEFAULT gen_random_uuid(),
  automation_id UUID NOT NULL REFERENCES automations(id),
  trigger_event JSONB NOT NULL,
  conditions_met BOOLEAN NOT NULL,
  conditions_result JSONB,
  actions_executed JSONB NOT NULL DEFAULT '[]',
  status VARCHAR(50) NOT NULL,
  error_message TEXT,
  execution_duration_ms INTEGER,
  executed_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
  attempt INTEGER NOT NULL DEFAULT 1,
  version INTEGER NOT NULL DEFAULT 1,
  event_id TEXT,
  event_type TEXT,
  entity TEXT,
  PRIMARY KEY (id, executed_at)
"""

_TABLES = f"""
CREATE TABLE automation_logs ({_COLUMNS}) PARTITION BY RANGE (executed_at);
CREATE TABLE automation_logs_archive ({_COLUMNS}) PARTITION BY RANGE (executed_at);
COMMENT ON COLUMN automation_logs.id IS 'The execution id';
COMMENT ON COLUMN automation_logs.attempt IS '0: the matcher wrote it, nothing ran; a higher attempt replaces a lower';
"""

_HORIZON = """
CREATE TABLE automation_logs_horizon (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  live_from date NOT NULL
);
INSERT INTO automation_logs_horizon (live_from) VALUES ((now() AT TIME ZONE 'UTC')::date - 90);
"""

# The check constraint lets ATTACH believe instead of scanning; ATTACH, unlike PARTITION OF, does not lock writers out.
# RLS without a policy keeps everybody from reading a partition past its parent's policies.
_MAKE_PARTITION = """
CREATE FUNCTION headrace_make_log_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  child text := 'automation_logs_' || to_char(day, 'YYYYMMDD');
  bounds text := format('executed_at >= %L AND executed_at < %L', day::timestamptz, (day + 1)::timestamptz);
  parent text := 'automation_logs';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('headrace_log_partitions'));
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
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                 parent, child, day::timestamptz, (day + 1)::timestamptz);
  RETURN true;
END $$;
"""

_ARCHIVE_PARTITION = """
CREATE FUNCTION headrace_archive_log_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  child text := 'automation_logs_' || to_char(day, 'YYYYMMDD');
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('headrace_log_partitions'));
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

_FIRST_DAYS = """
SELECT headrace_make_log_partition(day::date)
FROM generate_series((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + 7, '1 day') AS day;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_TABLES)
    op.execute(_HORIZON)
    op.execute(_MAKE_PARTITION)
    op.execute(_ARCHIVE_PARTITION)
    op.execute("REVOKE ALL ON FUNCTION headrace_make_log_partition, headrace_archive_log_partition FROM PUBLIC")
    op.execute(_FIRST_DAYS)
