"""Bring days of the log that were half moved to their end, and remove what is too old for the archive.

Who detached a day by hand (``DETACH PARTITION ... CONCURRENTLY``) and was killed left it pending, which no other
detaching takes, or standing alone, where nobody finds its rows.
"""

from typing import Final

from alembic import op

revision = "0055"
down_revision = "0054"

_ARCHIVE: Final = """
CREATE OR REPLACE FUNCTION headrace_archive_log_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  child text := 'automation_logs_' || to_char(day, 'YYYYMMDD');
  parent oid;
  pending boolean;
BEGIN
  LOCK TABLE automation_logs_horizon IN SHARE UPDATE EXCLUSIVE MODE;
  UPDATE automation_logs_horizon SET live_from = day + 1 WHERE live_from <= day;
  IF to_regclass('public.' || child) IS NULL THEN
    RETURN false;
  END IF;
  SELECT inhparent, inhdetachpending INTO parent, pending FROM pg_inherits
    WHERE inhrelid = to_regclass('public.' || child);
  IF parent = 'automation_logs_archive'::regclass THEN
    RETURN false;
  END IF;
  IF parent = 'automation_logs'::regclass THEN
    EXECUTE format('ALTER TABLE automation_logs DETACH PARTITION %I %s', child,
                   CASE WHEN pending THEN 'FINALIZE' ELSE '' END);
  END IF;
  EXECUTE format('ALTER TABLE automation_logs_archive ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                 child, day::timestamptz, (day + 1)::timestamptz);
  RETURN true;
END $$;
"""
_REMOVE: Final = """
CREATE FUNCTION headrace_remove_archived_log_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  child text := 'automation_logs_' || to_char(day, 'YYYYMMDD');
BEGIN
  LOCK TABLE automation_logs_horizon IN SHARE UPDATE EXCLUSIVE MODE;
  IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass('public.' || child)
                 AND inhparent = 'automation_logs_archive'::regclass) THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE %I', child);
  RETURN true;
END $$;
COMMENT ON FUNCTION headrace_remove_archived_log_partition(date) IS 'Removes a day of the archive for good';
REVOKE ALL ON FUNCTION headrace_remove_archived_log_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION headrace_remove_archived_log_partition TO headrace_scheduler;
-- Supabase grants what is new in `public` to its roles by default.
DO $$
DECLARE
  stranger text;
BEGIN
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION headrace_remove_archived_log_partition FROM %I', stranger);
  END LOOP;
END $$;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_ARCHIVE)
    op.execute(_REMOVE)
