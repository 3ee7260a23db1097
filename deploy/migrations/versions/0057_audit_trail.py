"""Keep a trail of who changed what, written by triggers: no code of ours, and nobody's SQL, can forget it.

A table is on the trail by one line of a migration, ``SELECT headrace_keep_trail('users', 'user', 'id', 'email', ...)``.
Rows are only added. The trail's owner itself may neither change one nor delete one younger than 30 days; older ones
go by ``headrace_shorten_trail`` alone.
"""

from typing import Final

from alembic import op

revision = "0057"
down_revision = "0056"

_TABLE: Final = """
CREATE TABLE audit_trail (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  at timestamptz NOT NULL DEFAULT clock_timestamp()
    CONSTRAINT at_readable CHECK (at >= '0001-01-02 00:00+00' AND at < '9999-12-31 00:00+00'),
  actor uuid,
  actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'admin', 'api_key', 'database_role', 'anonymous')),
  actor_name text,
  action text NOT NULL CHECK (length(action) BETWEEN 1 AND 50),
  kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 50),
  object_id text NOT NULL CHECK (length(object_id) <= 300),
  name text,
  version integer,
  changes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(changes) = 'object')
);
COMMENT ON TABLE audit_trail IS 'Who changed what and when; the database writes it, and nobody changes it';
COMMENT ON COLUMN audit_trail.actor IS 'The user or API key, by the claims of the transaction; null: a database role';
COMMENT ON COLUMN audit_trail.actor_name IS 'The name of the API key, or of the database role that has no claims';
COMMENT ON COLUMN audit_trail.changes IS 'By column old and new; withheld where that is secret or large';
CREATE INDEX idx_audit_trail_at ON audit_trail (at DESC, id DESC);
CREATE INDEX idx_audit_trail_actor ON audit_trail (actor, at DESC, id DESC);
CREATE INDEX idx_audit_trail_action ON audit_trail (action, at DESC, id DESC);
CREATE INDEX idx_audit_trail_kind ON audit_trail (kind, at DESC, id DESC);
CREATE INDEX idx_audit_trail_object ON audit_trail (object_id, at DESC, id DESC);

ALTER TABLE audit_trail ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_trail FORCE ROW LEVEL SECURITY;
CREATE POLICY service ON audit_trail TO headrace_rows, headrace_service USING (true) WITH CHECK (true);
CREATE POLICY administrators_see ON audit_trail FOR SELECT TO authenticated USING ((SELECT headrace_is_admin()));
"""

# A row that is old enough for the shortest retention may go; nothing else may, whoever asks.
_APPEND_ONLY: Final = """
CREATE FUNCTION headrace_keep_trail_whole() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.at < now() - interval '30 days' THEN
    RETURN OLD;
  END IF;
  RAISE insufficient_privilege USING MESSAGE = 'the audit trail is only added to';
END $$;
CREATE TRIGGER keep_whole BEFORE UPDATE OR DELETE ON audit_trail
  FOR EACH ROW EXECUTE FUNCTION headrace_keep_trail_whole();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON audit_trail
  FOR EACH STATEMENT EXECUTE FUNCTION headrace_keep_trail_whole();

CREATE FUNCTION headrace_shorten_trail(days integer, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gone integer;
BEGIN
  DELETE FROM public.audit_trail WHERE id = ANY (ARRAY(
    SELECT id FROM public.audit_trail WHERE at < now() - make_interval(days => greatest(days, 30))
    ORDER BY at LIMIT most));
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;
COMMENT ON FUNCTION headrace_shorten_trail(integer, integer) IS 'Deletes what is older than the retention, in batches';
"""

# `role` is what the transaction has set itself to, also inside of a function that runs as its owner.
_WRITE: Final = """
CREATE FUNCTION headrace_add_to_trail(
  action text, kind text, object_id text, name text, version integer, changes jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  who uuid := nullif(claims ->> 'sub', '')::uuid;
  key_name text := (SELECT k.name FROM public.api_keys k WHERE k.id = who);
BEGIN
  INSERT INTO public.audit_trail (actor, actor_kind, actor_name, action, kind, object_id, name, version, changes)
  VALUES (
    who,
    CASE WHEN who IS NULL THEN 'database_role' WHEN key_name IS NOT NULL THEN 'api_key'
      WHEN public.headrace_is_admin() THEN 'admin' ELSE 'user' END,
    CASE WHEN who IS NULL THEN coalesce(nullif(current_setting('role'), 'none'), session_user) ELSE key_name END,
    action, kind, left(object_id, 300), left(name, 300), version, coalesce(changes, '{}'));
END $$;
COMMENT ON FUNCTION headrace_add_to_trail(text, text, text, text, integer, jsonb)
  IS 'Adds a row by the claims of the transaction: what no trigger sees, as a sign-in that fails';
"""

# Arguments of the trigger: kind, columns of the id, column of the name, columns that are no change, columns withheld.
# What looks like a secret is withheld without being named: a table that is added later must not leak by default.
_NOTE: Final = r"""
CREATE FUNCTION headrace_trail_changes(before jsonb, after jsonb, quiet text[], withheld text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(jsonb_object_agg(key, CASE
      WHEN key = ANY (withheld) OR key ~ '(password|secret|token|digest|hash|value|url)$' THEN '{"withheld": "secret"}'
      WHEN length(concat(before -> key, after -> key)) > 2000 THEN '{"withheld": "large"}'
      ELSE jsonb_build_object('old', before -> key, 'new', after -> key)
    END), '{}')
  FROM (SELECT jsonb_object_keys(before || after) AS key) AS keys
  WHERE key <> ALL (quiet) AND before -> key IS DISTINCT FROM after -> key
    AND (before ? key OR jsonb_typeof(after -> key) <> 'null')
$$;

CREATE FUNCTION headrace_note_change() RETURNS trigger
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
      WHEN changes ? 'revoked_at' THEN 'revoked'
      WHEN changes ? 'replayed_at' THEN 'replayed'
      WHEN changes ? 'discarded_at' THEN 'discarded'
      WHEN changes ? 'active' AND jsonb_typeof(after -> 'active') = 'boolean' THEN -- of quotas it is a number
        CASE WHEN (after ->> 'active')::boolean THEN 'activated' ELSE 'deactivated' END
      ELSE 'changed' END;
  END IF;
  PERFORM public.headrace_add_to_trail(
    action, TG_ARGV[0],
    coalesce((SELECT string_agg(whole ->> id, '/' ORDER BY n) FROM unnest(ids) WITH ORDINALITY u (id, n)), 'all'),
    whole ->> TG_ARGV[2], (whole ->> 'version')::integer, changes);
  RETURN NULL;
END $$;

CREATE FUNCTION headrace_keep_trail(
  kept regclass, kind text, ids text[], name text, quiet text[] DEFAULT '{}', withheld text[] DEFAULT '{}',
  operations text DEFAULT 'INSERT OR UPDATE OR DELETE'
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER trail AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION
    public.headrace_note_change(%L, %L, %L, %L, %L)', operations, kept, kind, ids, name,
    quiet || ARRAY['version', 'created_at', 'updated_at', 'updated_by'], withheld);
END $$;
COMMENT ON FUNCTION headrace_keep_trail(regclass, text, text[], text, text[], text[], text)
  IS 'Puts a table on the audit trail; for migrations';
"""

# An hour is what an administrator asks about ("who used it that morning?"), and bounds what a busy workflow writes.
_SECRETS: Final = """
CREATE FUNCTION headrace_note_secret_uses(secrets text[], workflows uuid[], owners uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO public.audit_trail (id, actor, actor_kind, actor_name, action, kind, object_id, name, changes)
  SELECT md5(concat_ws('/', secret, workflow, owner, floor(extract(epoch FROM now()) / 3600)))::uuid,
    owner, 'user', NULL, 'used', 'secret', left(secret, 300), left(secret, 300),
    jsonb_build_object('workflow', jsonb_build_object('new', workflow), 'owner', jsonb_build_object('new', owner))
  FROM unnest(secrets, workflows, owners) AS uses (secret, workflow, owner)
  ON CONFLICT (id) DO NOTHING;
END $$;
COMMENT ON FUNCTION headrace_note_secret_uses(text[], uuid[], uuid[])
  IS 'Adds that workflows used secrets, for their owners: once an hour each';
"""

_TABLES: Final = """
SELECT headrace_keep_trail('automations', 'workflow', '{id}', 'name', '{tombstoned_at}', '{actions}');
SELECT headrace_keep_trail('automation_templates', 'template', '{id}', 'name', '{usage_count}', '{actions}');
SELECT headrace_keep_trail('message_templates', 'message_template', '{id}', 'name');
SELECT headrace_keep_trail('notification_channels', 'channel', '{id}', 'name');
SELECT headrace_keep_trail('secrets', 'secret', '{name}', 'name');
SELECT headrace_keep_trail('api_keys', 'api_key', '{id}', 'name', '{last_used}');
SELECT headrace_keep_trail('user_permissions', 'permissions', '{user_id}', 'role', '{noted_at,user_id}');
SELECT headrace_keep_trail('workflow_quotas', 'quotas', '{}', 'nothing');
SELECT headrace_keep_trail('dead_letters', 'dead_letter', '{id}', 'reason', '{replayed_by,discarded_by}',
  '{key,headers,detail}', 'UPDATE OF replayed_at, discarded_at');
"""
_GRANTS: Final = """
DO $$
DECLARE
  stranger text;
BEGIN
  FOR stranger IN SELECT 'PUBLIC' UNION ALL
    SELECT quote_ident(rolname) FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role')
  LOOP
    EXECUTE format('REVOKE ALL ON audit_trail FROM %s', stranger);
    EXECUTE format('REVOKE ALL ON FUNCTION headrace_keep_trail_whole, headrace_shorten_trail, headrace_add_to_trail,
      headrace_trail_changes, headrace_note_change, headrace_keep_trail, headrace_note_secret_uses FROM %s', stranger);
  END LOOP;
END $$;
GRANT SELECT ON audit_trail TO authenticated;
GRANT EXECUTE ON FUNCTION headrace_add_to_trail TO headrace_api;
GRANT EXECUTE ON FUNCTION headrace_note_secret_uses TO headrace_executor;
GRANT EXECUTE ON FUNCTION headrace_shorten_trail TO headrace_scheduler;
"""


def upgrade() -> None:
    """Apply."""
    for part in (_TABLE, _APPEND_ONLY, _WRITE, _NOTE, _SECRETS, _TABLES, _GRANTS):
        op.execute(part)
