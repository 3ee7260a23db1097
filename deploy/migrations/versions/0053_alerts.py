"""Keep what alerts stand at, what each channel was told, which workflows fail; and let dashboards read.

``headrace_dashboards`` is whom Grafana reads as: names and switches of workflows, and of the log what happened
when, but no event, no result, no error and no customer.
"""

from typing import Final

from alembic import op

revision = "0053"
down_revision = "0052"

_ROLE: Final = """
DO $$
DECLARE
  missing text := '';
  pair record;
BEGIN
  BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'headrace_dashboards') THEN
      CREATE ROLE headrace_dashboards NOLOGIN NOBYPASSRLS;
    END IF;
  EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN missing := 'CREATE ROLE headrace_dashboards NOLOGIN; ';
  END;
  FOR pair IN SELECT 'headrace_rows' AS held, 'headrace_dashboards' AS holder
    UNION ALL SELECT 'headrace_dashboards', 'headrace_service'
  LOOP
    BEGIN
      IF NOT pg_has_role(pair.holder::name, pair.held::name, 'MEMBER') THEN
        EXECUTE format('GRANT %I TO %I', pair.held, pair.holder);
      END IF;
    EXCEPTION
      WHEN unique_violation THEN NULL;
      WHEN insufficient_privilege OR undefined_object THEN
        missing := missing || format('GRANT %I TO %I; ', pair.held, pair.holder);
    END;
  END LOOP;
  IF missing <> '' THEN
    RAISE insufficient_privilege USING MESSAGE = format('%s may not make the roles that are missing', current_user),
      HINT = 'As an administrator: ' || trim(missing);
  END IF;
END $$;
"""
_TABLES: Final = """
CREATE VIEW alert_leader AS SELECT 'Whoever locks this judges the alerts'::text AS meaning;

CREATE TABLE alert_states (
  name text PRIMARY KEY CHECK (length(name) <= 100),
  subjects jsonb NOT NULL CHECK (jsonb_typeof(subjects) = 'object'),
  past jsonb NOT NULL CHECK (jsonb_typeof(past) = 'array'),
  changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE alert_states IS 'What each alert stands at, by what it is about, as the scheduler last judged it';
COMMENT ON COLUMN alert_states.past IS 'Readings that an increase or a growth is counted from';

CREATE TABLE alert_channels (
  channel text PRIMARY KEY CHECK (length(channel) <= 200),
  told jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(told) = 'object'),
  tries integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT now(),
  error text
);
COMMENT ON TABLE alert_channels IS 'What each channel of ADMIN_ALERT_CHANNELS was told: what fires, by alert';
COMMENT ON COLUMN alert_channels.channel IS 'Its name, or its service and a digest of its URL; never the URL';

CREATE TABLE workflow_failures (
  workflow_id uuid PRIMARY KEY,
  execution_id uuid NOT NULL,
  status text NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  failed_at timestamptz NOT NULL DEFAULT now(),
  told_at timestamptz
);
COMMENT ON TABLE workflow_failures IS 'Workflows that fail: the sink notes it, the scheduler tells their owners once';
"""
_WALLS: Final = """
DO $$
DECLARE
  made text;
  stranger text;
BEGIN
  FOREACH made IN ARRAY ARRAY['alert_states', 'alert_channels', 'workflow_failures'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', made);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', made);
    EXECUTE format('CREATE POLICY service ON %I TO headrace_rows, headrace_service USING (true) WITH CHECK (true)',
      made);
  END LOOP;
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON alert_leader, alert_states, alert_channels, workflow_failures FROM PUBLIC, %I',
      stranger);
  END LOOP;
END $$;
GRANT UPDATE ON alert_leader TO headrace_scheduler;
GRANT SELECT, INSERT, UPDATE, DELETE ON alert_states, alert_channels TO headrace_scheduler;
GRANT SELECT, INSERT, UPDATE ON workflow_failures TO headrace_sink;
GRANT SELECT, UPDATE, DELETE ON workflow_failures TO headrace_scheduler;
GRANT SELECT (name, created_by) ON automations TO headrace_scheduler;
GRANT SELECT (automation_id, status, attempt, executed_at, execution_duration_ms) ON automation_logs
  TO headrace_scheduler;
GRANT INSERT (id, user_id, title, body, workflow_id, execution_id) ON notifications TO headrace_scheduler;
GRANT SELECT (name, url, owners, workflows) ON notification_channels TO headrace_scheduler;
"""
_DASHBOARDS: Final = """
GRANT USAGE ON SCHEMA public TO headrace_dashboards;
GRANT SELECT (id, name, active, trigger_type, priority, version, deleted_at) ON automations TO headrace_dashboards;
GRANT SELECT (automation_id, status, attempt, version, event_type, executed_at, execution_duration_ms)
  ON automation_logs TO headrace_dashboards;
GRANT SELECT (workflow_id, status, since, failed_at) ON workflow_failures TO headrace_dashboards;
"""


def upgrade() -> None:
    """Apply."""
    for part in (_ROLE, _TABLES, _WALLS, _DASHBOARDS):
        op.execute(part)
