"""Let dead letters tell what became of them, and give workflow templates a version and a priority."""

from alembic import op

revision = "0009"
down_revision = "0008"

_DEAD_LETTERS = """
ALTER TABLE dead_letters
  ADD COLUMN replayed_at timestamptz,
  ADD COLUMN replayed_by uuid,
  ADD COLUMN discarded_at timestamptz,
  ADD COLUMN discarded_by uuid,
  ADD CHECK (replayed_at IS NULL OR discarded_at IS NULL);
CREATE INDEX idx_dead_letters_open ON dead_letters (id DESC) WHERE replayed_at IS NULL AND discarded_at IS NULL;
"""

_TEMPLATES = """
ALTER TABLE automation_templates
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD COLUMN priority smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 9);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_DEAD_LETTERS)
    op.execute(_TEMPLATES)
