"""Note of users that they were deleted: a bearer token of theirs may still run, and nothing in it can say so.

Who was never a user of ours has no such note: a token of another issuer holds without a row of ``users``.
"""

from typing import Final

from alembic import op

revision = "0068"
down_revision = "0067"

_GONE: Final = """
ALTER TABLE user_permissions ADD COLUMN gone_at timestamptz
  CONSTRAINT gone_at_readable CHECK (gone_at >= '0001-01-02 00:00+00' AND gone_at < '9999-12-31 00:00+00');
COMMENT ON COLUMN user_permissions.gone_at IS 'When they were deleted from users; their tokens do not hold since';
CREATE INDEX idx_user_permissions_gone ON user_permissions (user_id) WHERE gone_at IS NOT NULL;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_GONE)
