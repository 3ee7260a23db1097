"""Create the reference CRM's tables, in a schema of their own: they stand in for a system that may live elsewhere."""

from alembic import op

revision = "0007"
down_revision = "0006"

_CRM = """
CREATE SCHEMA crm;
CREATE TABLE crm.tags (
  customer_id text NOT NULL,
  tag text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (customer_id, tag)
);
CREATE TABLE crm.notes (
  note_id uuid PRIMARY KEY,
  customer_id text NOT NULL,
  text text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_notes_customer ON crm.notes (customer_id, created_at DESC);
GRANT USAGE ON SCHEMA crm TO headrace_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON crm.tags, crm.notes TO headrace_service;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_CRM)
