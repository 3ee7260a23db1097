"""Create the secret store: sealed values that administrators write and only workers read."""

from alembic import op

revision = "0014"
down_revision = "0013"

_SECRETS = """
CREATE TABLE secrets (
  name text PRIMARY KEY CHECK (name ~ '^[A-Z][A-Z0-9_]{0,63}$'),
  value bytea NOT NULL,
  updated_by uuid NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN secrets.value IS 'Sealed with HEADRACE_SECRETS_KEY (Fernet)';

ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
REVOKE ALL ON secrets FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON secrets TO headrace_service;
CREATE POLICY service ON secrets TO headrace_service USING (true) WITH CHECK (true);
GRANT SELECT (name, updated_by, updated_at), INSERT, UPDATE, DELETE ON secrets TO authenticated;
CREATE POLICY administrators ON secrets TO authenticated
  USING ((SELECT headrace_is_admin())) WITH CHECK ((SELECT headrace_is_admin()) AND updated_by = (SELECT auth.uid()));
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_SECRETS)
