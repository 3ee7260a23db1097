"""Create the automations table, its immutable revisions, and ``auth`` where Supabase has not made it."""

from alembic import op

revision = "0001"
down_revision = None

# In a Supabase database all of this is there and stays as it is.
_AUTH = """
DO $$
BEGIN
  IF to_regnamespace('auth') IS NULL THEN
    CREATE SCHEMA auth;
  END IF;
  IF to_regclass('auth.users') IS NULL THEN
    CREATE TABLE auth.users (
      id uuid PRIMARY KEY,
      email text,
      raw_app_meta_data jsonb NOT NULL DEFAULT '{}',
      created_at timestamptz NOT NULL DEFAULT now()
    );
  END IF;
  IF to_regprocedure('auth.uid()') IS NULL THEN
    CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $f$
      SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
    $f$;
  END IF;
END $$;
"""

_AUTOMATIONS = """
CREATE TABLE automations (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  name VARCHAR(255) NOT NULL,
  description TEXT,
  active BOOLEAN DEFAULT false,
  trigger_type VARCHAR(100) NOT NULL,
  trigger_config JSONB NOT NULL DEFAULT '{}',
  conditions JSONB NOT NULL DEFAULT '[]',
  actions JSONB NOT NULL DEFAULT '[]',
  created_by UUID NOT NULL REFERENCES auth.users(id),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),
  deleted_at TIMESTAMPTZ NULL,
  version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1),
  priority SMALLINT NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 9),
  tombstoned_at TIMESTAMPTZ NULL
);
COMMENT ON COLUMN automations.version IS 'Number of the revision that counts; every write makes the next one';
COMMENT ON COLUMN automations.priority IS '1 is most urgent; 1 to 3 take the high lane';
COMMENT ON COLUMN automations.tombstoned_at IS 'When its tombstone went into the outbox, 7 days after its deletion';
"""

_REVISIONS = """
CREATE TABLE automation_revisions (
  automation_id uuid NOT NULL REFERENCES automations(id),
  version integer NOT NULL CHECK (version >= 1),
  body jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by uuid NOT NULL REFERENCES auth.users(id),
  PRIMARY KEY (automation_id, version)
);

CREATE FUNCTION headrace_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER automation_revisions_never_change BEFORE UPDATE ON automation_revisions
  FOR EACH ROW EXECUTE FUNCTION headrace_refuse_update();
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_AUTH)
    op.execute(_AUTOMATIONS)
    op.execute(_REVISIONS)
