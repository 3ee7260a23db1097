"""Index the log by customer, by event type and by what went wrong, and keep a feed of what was written last.

Three indexes for what ``GET /executions`` is asked: an entity's, an event type's, and one of the rows that tell of
trouble alone, which serves words in errors and failures of a workflow. The last holds no row of what went well.

``execution_feed`` has one row for each batch that the sink writes, with the transaction that wrote it, so that whoever
follows the log knows what is new since a snapshot: times cannot say that, since an execution's is when it was matched,
and rows of one second are committed in any order.
"""

from typing import Final

from alembic import op

revision = "0059"
down_revision = "0058"

_INDEXES: Final = """
CREATE INDEX idx_{table}_entity ON {table}(entity, executed_at DESC);
CREATE INDEX idx_{table}_event_type ON {table}(event_type, executed_at DESC);
CREATE INDEX idx_{table}_trouble ON {table}(executed_at DESC, automation_id)
  WHERE error_message IS NOT NULL OR status IN ('failed', 'partial', 'timed_out', 'blocked', 'stopped');
"""
_FEED: Final = """
CREATE TABLE execution_feed (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  written_at timestamptz NOT NULL DEFAULT now(),
  ids uuid[] NOT NULL,
  times timestamptz[] NOT NULL,
  workflows uuid[] NOT NULL,
  PRIMARY KEY (txid, seq),
  CONSTRAINT written_at_readable CHECK (written_at >= '0001-01-02 00:00+00' AND written_at < '9999-12-31 00:00+00'),
  CONSTRAINT times_readable CHECK ('0001-01-02 00:00+00' <= ALL (times) AND '9999-12-31 00:00+00' > ALL (times))
);
COMMENT ON TABLE execution_feed IS 'What the sink wrote into the log last, a row a batch; removed after some hours';
COMMENT ON COLUMN execution_feed.txid IS 'The transaction that wrote it: what a snapshot does not see is new since';
"""
_WALLS: Final = """
ALTER TABLE execution_feed ENABLE ROW LEVEL SECURITY;
ALTER TABLE execution_feed FORCE ROW LEVEL SECURITY;
CREATE POLICY service ON execution_feed TO headrace_rows, headrace_service USING (true) WITH CHECK (true);
DO $$
DECLARE
  stranger text;
BEGIN
  REVOKE ALL ON execution_feed FROM PUBLIC;
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON execution_feed FROM %I', stranger);
    EXECUTE format('REVOKE ALL ON SEQUENCE execution_feed_seq_seq FROM %I', stranger);
  END LOOP;
END $$;
GRANT SELECT, INSERT, DELETE ON execution_feed TO headrace_service;
GRANT INSERT (ids, times, workflows) ON execution_feed TO headrace_sink;
GRANT SELECT (ctid, written_at), UPDATE (written_at), DELETE ON execution_feed TO headrace_scheduler;
GRANT SELECT (seq, txid, written_at, ids, times, workflows) ON execution_feed TO headrace_api;
GRANT SELECT (id, created_by) ON automations TO headrace_api;
"""


def upgrade() -> None:
    """Apply."""
    for table in ("automation_logs", "automation_logs_archive"):
        op.execute(_INDEXES.format(table=table))
    op.execute(_FEED)
    op.execute(_WALLS)
