"""Let executions wait for their owner's quota, in timers that others' never stand behind."""

from alembic import op

revision = "0033"
down_revision = "0032"

_TIMERS = """
ALTER TABLE timers DROP CONSTRAINT timers_kind_check,
  ADD CONSTRAINT timers_kind_check CHECK (kind IN ('delay', 'retry', 'circuit', 'quota')),
  DROP CONSTRAINT timers_circuit,
  ADD CONSTRAINT timers_destination CHECK ((kind IN ('circuit', 'quota')) = (destination IS NOT NULL));
DROP INDEX idx_timers_due;
CREATE INDEX idx_timers_due ON timers (due) WHERE kind <> 'circuit' AND kind <> 'quota';
CREATE INDEX idx_timers_quota ON timers (destination, due) WHERE kind = 'quota';
CREATE INDEX idx_timers_quota_due ON timers (due) WHERE kind = 'quota';
GRANT SELECT (command_id), INSERT ON timers TO headrace_matcher;
GRANT SELECT (user_id, role, permissions) ON user_permissions TO headrace_matcher;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_TIMERS)
