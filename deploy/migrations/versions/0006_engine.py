"""Create the engine's own tables: outbox, receipts, execution keys, instances, dead letters.

They are the workers' alone. RLS is on with a policy for their role only, so that a Supabase database does not show
them; the API's role may add outbox rows, for workflows that it may change.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

_OUTBOX = """
CREATE TABLE outbox (
  id bigserial PRIMARY KEY,
  topic text NOT NULL,
  key bytea,
  value bytea,
  headers jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN outbox.value IS 'NULL is a tombstone';

CREATE FUNCTION headrace_outbox_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('headrace_outbox', '');
  RETURN NULL;
END $$;
CREATE TRIGGER outbox_notify AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION headrace_outbox_notify();
"""

# A receipt is claimed, then done, in place: room on the page keeps that update off the index.
_RECEIPTS = """
CREATE TABLE execution_keys (
  execution_id uuid PRIMARY KEY,
  version integer NOT NULL,
  executed_at timestamptz NOT NULL,
  attempt integer NOT NULL
);
CREATE INDEX idx_execution_keys_executed_at ON execution_keys USING brin (executed_at) WITH (pages_per_range = 32);

CREATE TABLE receipts (
  command_id uuid PRIMARY KEY,
  execution_id uuid NOT NULL,
  state smallint NOT NULL CHECK (state BETWEEN 0 AND 2),
  instance text,
  incarnation bigint,
  lease_until timestamptz,
  parked integer NOT NULL DEFAULT 0,
  uncertain boolean NOT NULL DEFAULT false,
  result jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (state <> 2 OR result IS NOT NULL)
) WITH (fillfactor = 70);
COMMENT ON COLUMN receipts.state IS '0 free, 1 claimed, 2 done';
CREATE INDEX idx_receipts_created_at ON receipts USING brin (created_at) WITH (pages_per_range = 32);

CREATE SEQUENCE incarnations;
CREATE TABLE instances (
  instance text PRIMARY KEY,
  incarnation bigint NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now()
);
"""

_DEAD_LETTERS = """
CREATE TABLE dead_letters (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic text NOT NULL,
  "partition" integer NOT NULL,
  "offset" bigint NOT NULL,
  record_timestamp timestamptz,
  reason text NOT NULL,
  detail text NOT NULL,
  key bytea,
  value bytea,
  size integer NOT NULL,
  cut boolean NOT NULL DEFAULT false,
  headers jsonb NOT NULL DEFAULT '[]',
  role text NOT NULL,
  failed_at timestamptz NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (topic, "partition", "offset")
);
COMMENT ON COLUMN dead_letters.value IS 'At most 64 KiB of the original; cut says whether it was longer';
CREATE INDEX idx_dead_letters_failed_at ON dead_letters (failed_at DESC);
"""

_ACCESS = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON {table} FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO headrace_service;
CREATE POLICY service ON {table} TO headrace_service USING (true) WITH CHECK (true);
"""

_API_OUTBOX = """
GRANT INSERT ON outbox TO authenticated;
GRANT USAGE ON SEQUENCE outbox_id_seq TO authenticated, headrace_service;
GRANT USAGE ON SEQUENCE incarnations TO headrace_service;
CREATE POLICY insert_own ON outbox FOR INSERT TO authenticated
  WITH CHECK (EXISTS (SELECT FROM automations a WHERE a.id = convert_from(key, 'UTF8')::uuid));
"""

_TABLES = ("outbox", "execution_keys", "receipts", "instances", "dead_letters")


def upgrade() -> None:
    """Apply."""
    op.execute(_OUTBOX)
    op.execute(_RECEIPTS)
    op.execute(_DEAD_LETTERS)
    for table in _TABLES:
        op.execute(_ACCESS.format(table=table))
    op.execute(_API_OUTBOX)
