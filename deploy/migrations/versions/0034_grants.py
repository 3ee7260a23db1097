"""Let secrets and channels name who may use them, and secrets where they may go.

Those that there are stay as open as they were; one that is stored without naming anybody is for nobody.
"""

from alembic import op

revision = "0034"
down_revision = "0033"

_SECRETS = """
ALTER TABLE secrets
  ADD COLUMN owners text[] NOT NULL DEFAULT '{*}',
  ADD COLUMN workflows text[] NOT NULL DEFAULT '{*}',
  ADD COLUMN hosts text[] NOT NULL DEFAULT '{*}';
ALTER TABLE secrets
  ALTER COLUMN owners SET DEFAULT '{}', ALTER COLUMN workflows SET DEFAULT '{}', ALTER COLUMN hosts SET DEFAULT '{}';
COMMENT ON COLUMN secrets.owners IS 'Users whose workflows may use it; * for all';
COMMENT ON COLUMN secrets.hosts IS 'Where it may be sent, such as api.example.com or *.example.com:8443; * for all';
GRANT SELECT (owners, workflows, hosts) ON secrets TO authenticated, headrace_executor;
GRANT SELECT (name, owners, workflows, hosts) ON secrets TO headrace_api;
"""
_CHANNELS = """
ALTER TABLE notification_channels
  ADD COLUMN owners text[] NOT NULL DEFAULT '{*}',
  ADD COLUMN workflows text[] NOT NULL DEFAULT '{*}';
ALTER TABLE notification_channels ALTER COLUMN owners SET DEFAULT '{}', ALTER COLUMN workflows SET DEFAULT '{}';
COMMENT ON COLUMN notification_channels.owners IS 'Users whose workflows may use it; * for all';
GRANT SELECT (owners, workflows) ON notification_channels TO authenticated, headrace_executor;
GRANT SELECT (name, owners, workflows) ON notification_channels TO headrace_api;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_SECRETS)
    op.execute(_CHANNELS)
