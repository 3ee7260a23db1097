"""Keep a digest of the body beside a request under an Idempotency-Key: another body is another request.

Null where an older version noted it, or where the operation takes none: what is known of those is method and path.
"""

from typing import Final

from alembic import op

revision = "0069"
down_revision = "0068"

_BODY: Final = """
ALTER TABLE crm.requests ADD COLUMN body text;
COMMENT ON COLUMN crm.requests.body IS 'SHA-256 of the body, as JSON with its keys in order; null: not known';
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_BODY)
