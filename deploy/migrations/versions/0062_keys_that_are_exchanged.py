"""Let API keys be exchanged for new ones, and tell sign-ins and drafts on the audit trail by their names.

The key that is exchanged holds for a while yet, so that its service can take up the new one meanwhile: when a key
ends may be brought forward, and never put off.
"""

from typing import Final

from alembic import op

revision = "0062"
down_revision = "0061"

_KEYS: Final = """
ALTER TABLE api_keys ADD COLUMN replaced_by uuid;
COMMENT ON COLUMN api_keys.replaced_by IS 'The key that was made in place of this one';
GRANT SELECT (replaced_by), UPDATE (expires_at, replaced_by) ON api_keys TO authenticated;

CREATE OR REPLACE FUNCTION headrace_keep_revoked() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
    RAISE insufficient_privilege USING MESSAGE = 'an API key that was revoked stays so';
  END IF;
  IF (NEW.id, NEW.digest) IS DISTINCT FROM (OLD.id, OLD.digest) THEN
    RAISE insufficient_privilege USING MESSAGE = 'an API key stays the one that it is; make another';
  END IF;
  IF coalesce(NEW.expires_at, 'infinity') > coalesce(OLD.expires_at, 'infinity') THEN
    RAISE insufficient_privilege USING MESSAGE = 'an API key ends when it was to end, or before; make another';
  END IF;
  RETURN NEW;
END $$;
"""
# A session is opened in the API's own role, for a person who has no claims yet: it is they who sign in.
_TRAIL: Final = """
CREATE OR REPLACE FUNCTION headrace_note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
  after jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
  whole jsonb := before || after;
  changes jsonb := '{}';
  action text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'DELETE' THEN 'deleted' ELSE 'changed' END;
  ids text[] := TG_ARGV[1];
BEGIN
  IF TG_OP <> 'DELETE' THEN
    changes := public.headrace_trail_changes(before, after, TG_ARGV[3]::text[], TG_ARGV[4]::text[]);
    IF TG_OP = 'UPDATE' AND changes = '{}' THEN
      RETURN NULL;
    END IF;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    action := CASE
      WHEN changes ? 'deleted_at' THEN CASE WHEN after ->> 'deleted_at' IS NULL THEN 'restored' ELSE 'deleted' END
      WHEN changes ? 'disabled_at' THEN CASE WHEN after ->> 'disabled_at' IS NULL THEN 'enabled' ELSE 'disabled' END
      WHEN changes ? 'revoked_at' THEN 'revoked'
      WHEN changes ? 'replaced_by' THEN 'replaced'
      WHEN changes ? 'replayed_at' THEN 'replayed'
      WHEN changes ? 'discarded_at' THEN 'discarded'
      WHEN changes ? 'active' AND jsonb_typeof(after -> 'active') = 'boolean' THEN -- of quotas it is a number
        CASE WHEN (after ->> 'active')::boolean THEN 'activated' ELSE 'deactivated' END
      WHEN TG_ARGV[0] = 'draft' AND after ->> 'body' IS NULL THEN 'ended'
      WHEN TG_ARGV[0] = 'draft' AND before ->> 'body' IS NULL THEN 'created'
      ELSE 'changed' END;
  END IF;
  IF TG_ARGV[0] = 'session' AND TG_OP = 'INSERT' THEN
    action := 'signed_in';
    IF coalesce(current_setting('request.jwt.claims', true), '') = '' THEN
      INSERT INTO public.audit_trail (actor, actor_kind, action, kind, object_id, name, changes)
      SELECT u.id, u.role, action, TG_ARGV[0], after ->> 'id', after ->> TG_ARGV[2], changes
      FROM public.users u WHERE u.id = (after ->> 'user_id')::uuid;
      RETURN NULL;
    END IF;
  END IF;
  PERFORM public.headrace_add_to_trail(
    action, TG_ARGV[0],
    coalesce((SELECT string_agg(whole ->> id, '/' ORDER BY n) FROM unnest(ids) WITH ORDINALITY u (id, n)), 'all'),
    whole ->> TG_ARGV[2], (whole ->> 'version')::integer, changes);
  RETURN NULL;
END $$;

-- A draft is saved as somebody types: it is told once a person, when it begins and when it ends.
CREATE TRIGGER trail_begun AFTER INSERT ON automation_drafts FOR EACH ROW
  EXECUTE FUNCTION headrace_note_change('draft', '{automation_id}', 'nothing', '{version,saved_at,changes}', '{body}');
CREATE TRIGGER trail AFTER UPDATE ON automation_drafts FOR EACH ROW
  WHEN ((OLD.body IS NULL) <> (NEW.body IS NULL) OR OLD.saved_by <> NEW.saved_by)
  EXECUTE FUNCTION headrace_note_change('draft', '{automation_id}', 'nothing', '{version,saved_at,changes}', '{body}');
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_KEYS)
    op.execute(_TRAIL)
