"""Index the log by event: ``GET /executions?event_id=`` finds what one event came to without a scan over time.

On the partitioned tables themselves, so that every day's partition has it, those made from now on included. The
archive has it for the reason it has the others: a partition that moves over brings its index with it.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

_INDEXES = """
CREATE INDEX idx_automation_logs_event ON automation_logs(event_id, executed_at DESC);
CREATE INDEX idx_automation_logs_archive_event ON automation_logs_archive(event_id, executed_at DESC);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_INDEXES)
