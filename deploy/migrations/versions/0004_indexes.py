"""Create the specification's indexes, and the archive's."""

from alembic import op

revision = "0004"
down_revision = "0003"

_INDEXES = """
CREATE INDEX idx_automations_active ON automations(active) WHERE deleted_at IS NULL;
CREATE INDEX idx_automations_trigger_type ON automations(trigger_type) WHERE active = true AND deleted_at IS NULL;
CREATE INDEX idx_automations_created_by ON automations(created_by) WHERE deleted_at IS NULL;

CREATE INDEX idx_automation_logs_automation ON automation_logs(automation_id, executed_at DESC);
CREATE INDEX idx_automation_logs_status ON automation_logs(status, executed_at DESC);
CREATE INDEX idx_automation_logs_executed_at ON automation_logs(executed_at DESC);

CREATE INDEX idx_automation_templates_category ON automation_templates(category) WHERE is_public = true;
CREATE INDEX idx_automation_templates_public ON automation_templates(is_public);
"""

# The same as the log's: a partition that moves over brings them with it.
_ARCHIVE = """
CREATE INDEX idx_automation_logs_archive_automation ON automation_logs_archive(automation_id, executed_at DESC);
CREATE INDEX idx_automation_logs_archive_status ON automation_logs_archive(status, executed_at DESC);
CREATE INDEX idx_automation_logs_archive_executed_at ON automation_logs_archive(executed_at DESC);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_INDEXES)
    op.execute(_ARCHIVE)
