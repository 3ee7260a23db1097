"""Create the timers: commands that wait, for a delay, a long retry or an open breaker."""

from alembic import op

revision = "0011"
down_revision = "0010"

_TIMERS = """
CREATE TABLE timers (
  command_id uuid PRIMARY KEY,
  execution_id uuid NOT NULL,
  workflow_id uuid NOT NULL,
  entity text NOT NULL,
  step integer NOT NULL,
  kind text NOT NULL CHECK (kind IN ('delay', 'retry', 'circuit')),
  reason text NOT NULL,
  destination text,
  due timestamptz NOT NULL,
  topic text NOT NULL,
  key bytea NOT NULL,
  value bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE timers IS 'Records that go to Kafka when due; a row is deleted once Kafka has its record for good';
CREATE INDEX idx_timers_due ON timers (due);
CREATE INDEX idx_timers_destination ON timers (destination, due) WHERE destination IS NOT NULL;
CREATE INDEX idx_timers_execution ON timers (execution_id);
CREATE INDEX idx_timers_workflow ON timers (workflow_id, due);

CREATE FUNCTION headrace_timers_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('headrace_timers', '');
  RETURN NULL;
END $$;
CREATE TRIGGER timers_notify AFTER INSERT ON timers FOR EACH STATEMENT EXECUTE FUNCTION headrace_timers_notify();

ALTER TABLE timers ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON timers FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON timers TO headrace_service;
CREATE POLICY service ON timers TO headrace_service USING (true) WITH CHECK (true);
GRANT SELECT (command_id, execution_id, workflow_id, entity, step, kind, reason, destination, due, created_at)
  ON timers TO authenticated;
CREATE POLICY select_own ON timers FOR SELECT TO authenticated USING (
  (SELECT headrace_is_admin())
  OR workflow_id IN (SELECT a.id FROM automations a WHERE a.created_by = (SELECT auth.uid())));
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_TIMERS)
