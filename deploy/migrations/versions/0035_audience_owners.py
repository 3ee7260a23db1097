"""Let the scheduler see whose a workflow is and what they may: an audience is for owners who may read customers."""

from alembic import op

revision = "0035"
down_revision = "0034"

_GRANTS = """
GRANT SELECT (created_by, version) ON automations TO headrace_scheduler;
GRANT SELECT (user_id, role, permissions) ON user_permissions TO headrace_scheduler;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_GRANTS)
