"""Create the channels of notifications, and users' inboxes."""

from alembic import op

revision = "0018"
down_revision = "0017"

_CHANNELS = """
CREATE TABLE notification_channels (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE,
  service text NOT NULL,
  url bytea NOT NULL,
  version integer NOT NULL,
  updated_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
COMMENT ON COLUMN notification_channels.url IS 'Sealed with HEADRACE_SECRETS_KEY (Fernet)';

ALTER TABLE notification_channels ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_channels FORCE ROW LEVEL SECURITY;
REVOKE ALL ON notification_channels FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON notification_channels TO headrace_service;
CREATE POLICY service ON notification_channels TO headrace_service USING (true) WITH CHECK (true);
GRANT SELECT (id, name, service, version, updated_by, created_at, updated_at), INSERT, UPDATE, DELETE
  ON notification_channels TO authenticated;
-- Whoever writes a workflow must be able to name one.
CREATE POLICY names ON notification_channels FOR SELECT TO authenticated USING (true);
CREATE POLICY administrators ON notification_channels TO authenticated
  USING ((SELECT headrace_is_admin())) WITH CHECK ((SELECT headrace_is_admin()) AND updated_by = (SELECT auth.uid()));
"""

# No reference to auth.users: where auth is ours users are entered on their first write, and may be told things before.
_NOTIFICATIONS = """
CREATE TABLE notifications (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL,
  title text NOT NULL,
  body text NOT NULL,
  workflow_id uuid NOT NULL,
  execution_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  read_at timestamptz
);
COMMENT ON COLUMN notifications.id IS 'Of the command that made it: put in once, however often it is tried';
CREATE INDEX idx_notifications_user ON notifications (user_id, created_at DESC, id DESC);
CREATE INDEX idx_notifications_unread ON notifications (user_id, created_at DESC, id DESC) WHERE read_at IS NULL;
CREATE INDEX idx_notifications_created_at ON notifications (created_at);

ALTER TABLE notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE notifications FORCE ROW LEVEL SECURITY;
REVOKE ALL ON notifications FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON notifications TO headrace_service;
CREATE POLICY service ON notifications TO headrace_service USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE (read_at) ON notifications TO authenticated;
CREATE POLICY select_own ON notifications FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY update_own ON notifications FOR UPDATE TO authenticated
  USING (user_id = (SELECT auth.uid())) WITH CHECK (user_id = (SELECT auth.uid()));
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_CHANNELS)
    op.execute(_NOTIFICATIONS)
