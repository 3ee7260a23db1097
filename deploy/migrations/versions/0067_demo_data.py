"""Note what is demo data, so that removing it takes away what was loaded and nothing else.

The API loads customers of the reference CRM, with orders and a conversation, and makes workflows; what is listed here
it may delete again, with what workflows have made for those customers since. Until now it never had a reason to.
"""

from typing import Final

from alembic import op

revision = "0067"
down_revision = "0066"

_DEMO: Final = """
CREATE TABLE demo_data (
  kind text NOT NULL CHECK (kind IN ('load', 'customer', 'workflow')),
  id text NOT NULL CHECK (octet_length(id) BETWEEN 1 AND 1024),
  version integer CHECK (version >= 1),
  loaded_by uuid NOT NULL,
  loaded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, id),
  CONSTRAINT loaded_at_readable CHECK (
    loaded_at >= '0001-01-02 00:00+00' AND loaded_at < '9999-12-31 00:00+00')
);
COMMENT ON TABLE demo_data IS 'What was loaded as demo data; one load at a time, which has a row of its own';
COMMENT ON COLUMN demo_data.version IS 'Of a workflow: the one that was loaded';

ALTER TABLE demo_data ENABLE ROW LEVEL SECURITY;
ALTER TABLE demo_data FORCE ROW LEVEL SECURITY;
CREATE POLICY service ON demo_data TO headrace_rows, headrace_service USING (true) WITH CHECK (true);
DO $$
DECLARE
  stranger text;
BEGIN
  -- In Supabase what is new is everybody's, by default privileges.
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('authenticated', 'anon', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON demo_data FROM PUBLIC, %I', stranger);
  END LOOP;
END $$;
GRANT SELECT, INSERT, DELETE ON demo_data TO headrace_api;
GRANT DELETE ON crm.appointments, crm.conversations, crm.messages, crm.tasks, sales.orders TO headrace_api;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_DEMO)
