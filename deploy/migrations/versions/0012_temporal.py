"""Create the due times of temporal triggers, and the audiences that are being released."""

from alembic import op

revision = "0012"
down_revision = "0011"

_TEMPORAL = """
CREATE TABLE temporal_schedules (
  workflow_id uuid PRIMARY KEY REFERENCES automations(id),
  trigger_type text NOT NULL,
  trigger_config jsonb NOT NULL,
  due timestamptz NOT NULL
);
COMMENT ON COLUMN temporal_schedules.trigger_config IS 'What due was computed from; another one gives another due';
CREATE INDEX idx_temporal_schedules_due ON temporal_schedules (due);

CREATE TABLE temporal_audiences (
  workflow_id uuid NOT NULL REFERENCES automations(id),
  due timestamptz NOT NULL,
  trigger_type text NOT NULL,
  conditions jsonb NOT NULL,
  after_customer text NOT NULL DEFAULT '',
  not_before timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workflow_id, due)
);
COMMENT ON COLUMN temporal_audiences.after_customer IS 'Customers up to this one have been looked at';

ALTER TABLE temporal_schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE temporal_audiences ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON temporal_schedules, temporal_audiences FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON temporal_schedules, temporal_audiences TO headrace_service;
CREATE POLICY service ON temporal_schedules TO headrace_service USING (true) WITH CHECK (true);
CREATE POLICY service ON temporal_audiences TO headrace_service USING (true) WITH CHECK (true);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_TEMPORAL)
