"""The API reads how long executions took, for the specification's average on its metrics page."""

from alembic import op

revision = "0052"
down_revision = "0049"


def upgrade() -> None:
    """Grant the one column more."""
    op.execute("GRANT SELECT (execution_duration_ms) ON automation_logs TO headrace_api")


def downgrade() -> None:
    """Take it back."""
    op.execute("REVOKE SELECT (execution_duration_ms) ON automation_logs FROM headrace_api")
