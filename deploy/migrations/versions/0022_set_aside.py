"""Set rows of outbox and timers aside whose record Kafka refuses, with its error, so that they hold nobody up."""

from alembic import op

revision = "0022"
down_revision = "0021"

_SET_ASIDE = """
ALTER TABLE outbox
  ADD COLUMN set_aside text CHECK (set_aside IN ('no_topic', 'too_large', 'refused')),
  ADD COLUMN set_aside_at timestamptz,
  ADD COLUMN error text;
COMMENT ON COLUMN outbox.set_aside IS 'Why Kafka does not take it; rows of a missing topic wait in their order for it';
CREATE INDEX idx_outbox_pending ON outbox (id) WHERE set_aside IS NULL;
CREATE INDEX idx_outbox_set_aside ON outbox (topic, set_aside, id) WHERE set_aside IS NOT NULL;

ALTER TABLE timers
  ADD COLUMN set_aside text CHECK (set_aside IN ('no_topic', 'too_large', 'refused')),
  ADD COLUMN set_aside_at timestamptz,
  ADD COLUMN error text;
COMMENT ON COLUMN timers.set_aside IS 'Why Kafka did not take it; it is tried again when due';
CREATE INDEX idx_timers_set_aside ON timers (topic) WHERE set_aside IS NOT NULL;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_SET_ASIDE)
