"""Create what is remembered of users' permissions, and the function that row level security asks about the caller's.

A workflow runs when its owner is not there: what the owner may do then is what their token said when they last called.
"""

from alembic import op

revision = "0024"
down_revision = "0023"

_TABLE = """
CREATE TABLE user_permissions (
  user_id uuid PRIMARY KEY,
  role text NOT NULL CHECK (role IN ('user', 'admin')),
  permissions text[] NOT NULL,
  noted_at timestamptz NOT NULL DEFAULT now()
    CONSTRAINT noted_at_readable CHECK (noted_at >= '0001-01-02 00:00+00' AND noted_at < '9999-12-31 00:00+00')
);
COMMENT ON TABLE user_permissions IS 'Each caller''s role and permissions, by the token of their last call';

ALTER TABLE user_permissions ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_permissions FORCE ROW LEVEL SECURITY;
REVOKE ALL ON user_permissions FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_permissions TO headrace_service;
CREATE POLICY service ON user_permissions TO headrace_service USING (true) WITH CHECK (true);
"""

# Supabase's own tokens carry permissions in app_metadata, which users cannot set themselves.
_MAY = """
CREATE FUNCTION headrace_may(permission text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT headrace_is_admin() OR coalesce(claims #> '{app_metadata,permissions}' ? permission, false)
  FROM (SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb) AS jwt(claims)
$$;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_TABLE)
    op.execute(_MAY)
