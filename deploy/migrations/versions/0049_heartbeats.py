"""Keep a row of each process: that it lives, whether it is ready, and how often it was started of late.

Every role writes the rows of its own kind of process only, which a restrictive policy holds beside the grants; all of
them may read all rows, for readiness, ``headrace status`` and the scheduler's alerts.
"""

from typing import Final

from alembic import op

revision = "0049"
down_revision = "0048"

_TABLE: Final = """
CREATE TABLE heartbeats (
  role text NOT NULL CHECK (role ~ '^[a-z-]{1,40}$'),
  instance text NOT NULL CHECK (length(instance) BETWEEN 1 AND 60),
  host text NOT NULL CHECK (length(host) <= 255),
  pid integer NOT NULL,
  version text NOT NULL CHECK (length(version) <= 100),
  started_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  stopped_at timestamptz,
  ready boolean NOT NULL,
  problems jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(problems) = 'object'),
  starts timestamptz[] NOT NULL DEFAULT '{}',
  figures jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(figures) = 'object'),
  PRIMARY KEY (role, instance)
);
COMMENT ON TABLE heartbeats IS 'A row for each process of ours, which it writes every 10 seconds';
COMMENT ON COLUMN heartbeats.stopped_at IS 'When it came to an orderly end; one that died has none';
COMMENT ON COLUMN heartbeats.problems IS 'Why it is not ready, by what is asked';
COMMENT ON COLUMN heartbeats.starts IS 'When processes of this role and instance started, within the last 10 minutes';
COMMENT ON COLUMN heartbeats.figures IS 'Some of its metrics, summed over their labels, for alerts';

ALTER TABLE heartbeats ENABLE ROW LEVEL SECURITY;
ALTER TABLE heartbeats FORCE ROW LEVEL SECURITY;
CREATE POLICY service ON heartbeats TO headrace_rows, headrace_service USING (true) WITH CHECK (true);
"""
_OWN: Final = """current_user = CASE WHEN role = 'admin' THEN 'headrace_api'
  WHEN starts_with(role, 'executor-') THEN 'headrace_executor' ELSE 'headrace_' || role END"""
_POLICIES: Final = f"""
CREATE POLICY own_new ON heartbeats AS RESTRICTIVE FOR INSERT TO headrace_rows WITH CHECK ({_OWN});
CREATE POLICY own_only ON heartbeats AS RESTRICTIVE FOR UPDATE TO headrace_rows USING ({_OWN}) WITH CHECK ({_OWN});
"""
# Supabase grants what is new in `public` to its roles by default.
_GRANTS: Final = """
DO $$
DECLARE
  stranger text;
BEGIN
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON heartbeats FROM PUBLIC, %I', stranger);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON heartbeats
  TO headrace_matcher, headrace_executor, headrace_sink, headrace_scheduler, headrace_sources, headrace_api;
GRANT DELETE ON heartbeats TO headrace_scheduler;
GRANT SELECT, DELETE ON heartbeats TO headrace_service;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_TABLE)
    op.execute(_POLICIES)
    op.execute(_GRANTS)
