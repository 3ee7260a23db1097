"""Keep what a wall once said: letters that are never replayed, and API keys that were revoked for good."""

from typing import Final

from alembic import op

revision = "0040"
down_revision = "0036"

_LETTERS: Final = """
ALTER TABLE dead_letters ADD COLUMN barred text;
COMMENT ON COLUMN dead_letters.barred IS 'Why it is never replayed: what it says of itself need not be true';
"""

# Also for whoever may write the column: an administrator with SQL access, the workers, the tables' owner.
_KEYS: Final = """
CREATE FUNCTION headrace_keep_revoked() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
    RAISE insufficient_privilege USING MESSAGE = 'an API key that was revoked stays so';
  END IF;
  IF (NEW.id, NEW.digest) IS DISTINCT FROM (OLD.id, OLD.digest) THEN
    RAISE insufficient_privilege USING MESSAGE = 'an API key stays the one that it is; make another';
  END IF;
  RETURN NEW;
END $$;
DO $$
DECLARE
  stranger text;
BEGIN
  -- In Supabase a new function is everybody's to call, by default privileges.
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('authenticated', 'anon', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION headrace_keep_revoked() FROM PUBLIC, %I', stranger);
  END LOOP;
END $$;
CREATE TRIGGER keep_revoked BEFORE UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION headrace_keep_revoked();
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_LETTERS)
    op.execute(_KEYS)
