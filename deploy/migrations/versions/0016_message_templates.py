"""Create the message templates: texts with a name, for the actions that send messages."""

from alembic import op

revision = "0016"
down_revision = "0015"

_MESSAGE_TEMPLATES = """
CREATE TABLE message_templates (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('email', 'sms', 'whatsapp', 'notification')),
  subject text NOT NULL DEFAULT '',
  text text NOT NULL DEFAULT '',
  html text NOT NULL DEFAULT '',
  version integer NOT NULL DEFAULT 1,
  created_by uuid NOT NULL REFERENCES auth.users(id),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT one_of_a_name UNIQUE (created_by, kind, name)
);

ALTER TABLE message_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_templates FORCE ROW LEVEL SECURITY;
REVOKE ALL ON message_templates FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON message_templates TO authenticated, headrace_service;
CREATE POLICY service ON message_templates TO headrace_service USING (true) WITH CHECK (true);
CREATE POLICY own ON message_templates TO authenticated
  USING (created_by = (SELECT auth.uid()) OR (SELECT headrace_is_admin()))
  WITH CHECK (created_by = (SELECT auth.uid()) OR (SELECT headrace_is_admin()));
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_MESSAGE_TEMPLATES)
