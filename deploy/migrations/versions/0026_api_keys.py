"""Create the API keys of services: digests of random keys, which administrators make and revoke."""

from alembic import op

revision = "0026"
down_revision = "0024"

_READABLE = ",\n  ".join(
    f"CONSTRAINT {column}_readable CHECK ({column} >= '0001-01-02 00:00+00' AND {column} < '9999-12-31 00:00+00')"
    for column in ("created_at", "expires_at", "revoked_at", "last_used")
)
_API_KEYS = """
CREATE TABLE api_keys (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
  permissions text[] NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used timestamptz,
  {readable}
);
COMMENT ON COLUMN api_keys.digest IS 'SHA-256 of 256 random bits, which no slow hash could protect better';
COMMENT ON COLUMN api_keys.last_used IS 'To the minute or so';

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
REVOKE ALL ON api_keys FROM PUBLIC, authenticated;
GRANT SELECT, UPDATE (last_used) ON api_keys TO headrace_service;
CREATE POLICY service ON api_keys TO headrace_service USING (true) WITH CHECK (true);
GRANT SELECT (id, name, permissions, created_by, created_at, expires_at, revoked_at, last_used),
  INSERT (id, name, digest, permissions, created_by, created_at, expires_at), UPDATE (revoked_at)
  ON api_keys TO authenticated;
CREATE POLICY administrators_see ON api_keys FOR SELECT TO authenticated USING ((SELECT headrace_is_admin()));
CREATE POLICY administrators_make ON api_keys FOR INSERT TO authenticated
  WITH CHECK ((SELECT headrace_is_admin()) AND created_by = (SELECT auth.uid()));
CREATE POLICY administrators_revoke ON api_keys FOR UPDATE TO authenticated
  USING ((SELECT headrace_is_admin())) WITH CHECK ((SELECT headrace_is_admin()));
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_API_KEYS.replace("{readable}", _READABLE))
