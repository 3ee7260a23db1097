"""Remember which partitions a process holds, and how often one died over the same records."""

from alembic import op

revision = "0021"
down_revision = "0020"

_HOLDS = """
CREATE TABLE partition_holds (
  consumer_group text NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  holder text NOT NULL,
  held_at timestamptz NOT NULL DEFAULT now(),
  frontier bigint NOT NULL,
  deaths integer NOT NULL DEFAULT 0,
  watched_until bigint NOT NULL DEFAULT 0,
  alone_first bigint,
  alone_end bigint,
  alone_deaths integer NOT NULL DEFAULT 0,
  error text NOT NULL DEFAULT '',
  blamed text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (consumer_group, topic, partition)
);
COMMENT ON TABLE partition_holds IS
  'Who reads each partition, written when it is assigned and given up; who died without giving it up leaves its name';
COMMENT ON COLUMN partition_holds.holder IS 'The process; empty once it has let go';
COMMENT ON COLUMN partition_holds.blamed IS 'Whose deaths are counted; one that lives after all takes its own back';

ALTER TABLE partition_holds ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON partition_holds FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON partition_holds TO headrace_service;
CREATE POLICY service ON partition_holds TO headrace_service USING (true) WITH CHECK (true);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_HOLDS)
