"""Let the database hold the quotas and bounds that the API holds, for whoever writes SQL in a user's name.

What a user owns is counted after each statement, so that one which adds a thousand rows is refused as a whole. The
owner's row in ``owner_turns`` is written before the count: of two transactions at once the second waits for the first
and counts what it has left, and one with a snapshot of before fails to be serialised. The refusal's code is the one
that PostgREST answers as 409, as the API does.
"""

from typing import Final

from alembic import op

revision = "0043"
down_revision = "0041"

_TABLES: Final = """
CREATE TABLE workflow_quotas (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  workflows integer NOT NULL CHECK (workflows >= 0),
  active integer NOT NULL CHECK (active >= 0)
);
COMMENT ON TABLE workflow_quotas IS 'Of a user: workflows, and active ones of one trigger type; 0: no limit';
INSERT INTO workflow_quotas (workflows, active) VALUES (200, 50);
CREATE TABLE owner_turns (
  owner uuid PRIMARY KEY,
  turns bigint NOT NULL DEFAULT 1
);
COMMENT ON TABLE owner_turns IS 'Whoever adds to what a user owns takes a turn first: what is counted then stays true';
"""
_CLOSE_TABLE: Final = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
REVOKE ALL ON {table} FROM PUBLIC, authenticated;
CREATE POLICY service ON {table} TO headrace_rows, headrace_service USING (true) WITH CHECK (true);
"""
_TABLE_GRANTS: Final = """
GRANT SELECT, INSERT, UPDATE ON workflow_quotas, owner_turns TO headrace_service;
GRANT SELECT, UPDATE (workflows, active) ON workflow_quotas TO headrace_api;
CREATE INDEX idx_automation_templates_created_by ON automation_templates (created_by);
"""

# An owner who keeps a transaction open waits for themselves, and does not keep the API's connections for it.
_QUOTAS: Final = """
CREATE FUNCTION headrace_take_turn(owner uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
  INSERT INTO public.owner_turns AS t (owner) VALUES ($1) ON CONFLICT (owner) DO UPDATE SET turns = t.turns + 1
$$;

CREATE FUNCTION headrace_refuse_workflows_over_quota(owner uuid, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most integer := (SELECT CASE WHEN kind IS NULL THEN workflows ELSE active END FROM public.workflow_quotas);
  there bigint;
BEGIN
  IF most = 0 THEN
    RETURN;
  END IF;
  PERFORM public.headrace_take_turn(owner);
  SELECT count(*) INTO there FROM public.automations a
  WHERE a.created_by = owner AND a.deleted_at IS NULL AND (kind IS NULL OR a.active AND a.trigger_type = kind);
  IF there > most THEN
    RAISE EXCEPTION 'There would be % % of this user, and % are allowed; % one first', there,
      CASE WHEN kind IS NULL THEN 'workflows' ELSE 'active workflows with the trigger ' || kind END, most,
      CASE WHEN kind IS NULL THEN 'delete' ELSE 'deactivate' END
      USING ERRCODE = 'PT409';
  END IF;
END $$;

CREATE FUNCTION headrace_check_added_workflows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT public.headrace_is_admin() THEN
    PERFORM public.headrace_refuse_workflows_over_quota(w.created_by, NULL)
      FROM (SELECT DISTINCT created_by FROM written) w;
    PERFORM public.headrace_refuse_workflows_over_quota(w.created_by, w.trigger_type)
      FROM (SELECT DISTINCT created_by, trigger_type FROM written WHERE active) w;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION headrace_check_changed_workflows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT public.headrace_is_admin() THEN
    PERFORM public.headrace_refuse_workflows_over_quota(c.created_by, c.trigger_type) FROM (
      SELECT DISTINCT w.created_by, w.trigger_type FROM written w JOIN replaced r ON r.id = w.id
      WHERE w.active AND (r.active IS NOT TRUE OR r.trigger_type <> w.trigger_type)) c;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION headrace_check_added_templates() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one record;
  there bigint;
BEGIN
  IF public.headrace_is_admin() THEN
    RETURN NULL;
  END IF;
  FOR one IN SELECT DISTINCT created_by AS owner FROM written LOOP
    PERFORM public.headrace_take_turn(one.owner);
    EXECUTE format('SELECT count(*) FROM public.%I WHERE created_by = $1', TG_TABLE_NAME) INTO there USING one.owner;
    IF there > 1000 THEN
      RAISE EXCEPTION 'There would be % % of this user, and 1000 are allowed; delete one first', there, TG_ARGV[0]
        USING ERRCODE = 'PT409';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
"""

# jsonb's own text has a blank after each colon and comma, which is not counted, as of a workflow.
_TEMPLATES: Final = r"""
CREATE OR REPLACE FUNCTION headrace_check_template() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong text := public.headrace_wrong_in_workflow(
    NEW.name, NEW.description, NEW.trigger_type, NEW.trigger_config, NEW.conditions, NEW.actions);
  said text := NEW.trigger_config::text || NEW.conditions::text || NEW.actions::text;
  size integer := octet_length(said);
BEGIN
  IF size BETWEEN 131073 AND 196608 THEN
    size := octet_length(regexp_replace(said, '("(?:[^"\\]|\\.)*")|([,:]) ', '\1\2', 'g'));
  END IF;
  IF size > 131072 THEN
    wrong := format('actions: the template has %s bytes; at most 131072 are allowed', size);
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION '%', wrong USING ERRCODE = 'check_violation';
  END IF;
  NEW.updated_at := clock_timestamp();
  IF TG_OP = 'INSERT' THEN
    NEW.version := 1;
    NEW.usage_count := 0;
    NEW.created_at := NEW.updated_at;
  ELSE
    NEW.id := OLD.id;
    NEW.created_by := OLD.created_by;
    NEW.created_at := OLD.created_at;
    NEW.usage_count := OLD.usage_count;
    NEW.version := least(OLD.version, 2147483646) + 1;
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION headrace_check_message_template() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  IF TG_OP = 'INSERT' THEN
    NEW.version := 1;
    NEW.created_at := NEW.updated_at;
  ELSE
    NEW.id := OLD.id;
    NEW.created_by := OLD.created_by;
    NEW.created_at := OLD.created_at;
    NEW.version := least(OLD.version, 2147483646) + 1;
  END IF;
  RETURN NEW;
END $$;

REVOKE ALL ON automation_templates, message_templates FROM authenticated;
GRANT SELECT, DELETE,
  INSERT (id, name, description, category, trigger_type, trigger_config, conditions, actions, is_public, created_by,
    priority, reentry),
  UPDATE (name, description, category, trigger_type, trigger_config, conditions, actions, is_public, priority, reentry)
  ON automation_templates TO authenticated;
GRANT SELECT, DELETE, INSERT (id, name, kind, subject, text, html, created_by),
  UPDATE (name, kind, subject, text, html) ON message_templates TO authenticated;
"""

_TRIGGERS: Final = """
CREATE TRIGGER message_templates_check BEFORE INSERT OR UPDATE ON message_templates FOR EACH ROW
  WHEN (NOT pg_has_role(current_user, 'headrace_rows', 'USAGE')) EXECUTE FUNCTION headrace_check_message_template();
CREATE TRIGGER automations_added AFTER INSERT ON automations REFERENCING NEW TABLE AS written FOR EACH STATEMENT
  WHEN (NOT pg_has_role(current_user, 'headrace_rows', 'USAGE')) EXECUTE FUNCTION headrace_check_added_workflows();
CREATE TRIGGER automations_changed AFTER UPDATE ON automations
  REFERENCING NEW TABLE AS written OLD TABLE AS replaced FOR EACH STATEMENT
  WHEN (NOT pg_has_role(current_user, 'headrace_rows', 'USAGE')) EXECUTE FUNCTION headrace_check_changed_workflows();
CREATE TRIGGER automation_templates_added AFTER INSERT ON automation_templates
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT
  WHEN (NOT pg_has_role(current_user, 'headrace_rows', 'USAGE'))
  EXECUTE FUNCTION headrace_check_added_templates('templates');
CREATE TRIGGER message_templates_added AFTER INSERT ON message_templates
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT
  WHEN (NOT pg_has_role(current_user, 'headrace_rows', 'USAGE'))
  EXECUTE FUNCTION headrace_check_added_templates('message templates');
"""
_OURS: Final = """
DO $$
DECLARE
  stranger text;
  code text;
BEGIN
  -- In Supabase what is new is everybody's, by default privileges.
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('authenticated', 'anon', 'service_role') LOOP
    FOREACH code IN ARRAY ARRAY['headrace_take_turn(uuid)', 'headrace_refuse_workflows_over_quota(uuid, text)',
      'headrace_check_added_workflows()', 'headrace_check_changed_workflows()', 'headrace_check_added_templates()',
      'headrace_check_message_template()']
    LOOP
      EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, %I', code, stranger);
    END LOOP;
    EXECUTE format('REVOKE ALL ON workflow_quotas, owner_turns FROM %I', stranger);
  END LOOP;
END $$;
"""

# Not valid: rows of before are no obstacle to the migration; they are refused when they are next changed.
_BOUNDS: Final = {
    "message_templates": {
        "name": "char_length(name) BETWEEN 1 AND 100",
        "subject": "char_length(subject) <= 10000",
        "text": "char_length(text) <= 262144",
        "html": "char_length(html) <= 262144",
    },
    "automations": {
        "description": "char_length(description) <= 10000",
        "reentry": "octet_length(reentry) <= 4096",
    },
    "automation_templates": {
        "description": "char_length(description) <= 10000",
        "reentry": "octet_length(reentry) <= 4096",
    },
    "notifications": {"title": "char_length(title) <= 250", "body": "char_length(body) <= 16384"},
    "notification_channels": {
        "name": "char_length(name) BETWEEN 1 AND 100",
        "service": "char_length(service) <= 255",
        "url": "octet_length(url) <= 32768",
        "owners": "octet_length(array_to_string(owners, ',')) <= 16384",
        "workflows": "octet_length(array_to_string(workflows, ',')) <= 16384",
    },
    "secrets": {
        "value": "octet_length(value) <= 16384",
        "owners": "octet_length(array_to_string(owners, ',')) <= 16384",
        "workflows": "octet_length(array_to_string(workflows, ',')) <= 16384",
        "hosts": "octet_length(array_to_string(hosts, ',')) <= 65536",
    },
}

# Who writes a workflow names a channel that they may use: no more of it than that is theirs to see.
_CHANNELS: Final = """
ALTER POLICY names ON notification_channels USING (owners && ARRAY['*', CAST((SELECT auth.uid()) AS text)]);
REVOKE SELECT (version, updated_by, created_at, updated_at, owners, workflows) ON notification_channels
  FROM authenticated;
GRANT SELECT (id, service, version, updated_by, created_at, updated_at) ON notification_channels TO headrace_api;
"""

# Postgres lets everybody keep large objects, in any number and of any size; only a superuser can take that back.
_LARGE_OBJECTS: Final = """
DO $$
DECLARE
  code regprocedure;
BEGIN
  FOR code IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
    AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lowrite') AND pg_has_role(proowner, 'USAGE')
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', code);
  END LOOP;
END $$;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_TABLES)
    for table in ("workflow_quotas", "owner_turns"):
        op.execute(_CLOSE_TABLE.format(table=table))
    for part in (_TABLE_GRANTS, _QUOTAS, _TEMPLATES, _TRIGGERS, _OURS, _CHANNELS, _LARGE_OBJECTS):
        op.execute(part)
    for table, bounds in _BOUNDS.items():
        for column, bound in bounds.items():
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {column}_bound CHECK ({bound}) NOT VALID")
