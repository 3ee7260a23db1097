"""Let the database itself write revisions and announce them, and close every table to all but those who need it.

Whoever holds a user's token may have SQL access as ``authenticated``: whatever reaches the matchers is therefore made
of the workflow's row as it was stored, by functions that run as the tables' owner. Users write that row's own columns;
its version and times, its revision and the outbox's record follow from it. The workers' roles and the tables' owner
are trusted as before: they write revisions themselves, and those are announced as well.
"""

from typing import Final

from alembic import op

revision = "0036"
down_revision = "0035"

_GRANTS: Final = """
DROP POLICY insert_own ON outbox;
REVOKE ALL ON outbox FROM authenticated;
REVOKE ALL ON SEQUENCE outbox_id_seq FROM authenticated;

GRANT SELECT (created_by) ON automations TO headrace_matcher;

DROP POLICY insert_own ON automation_revisions;
REVOKE ALL ON automation_revisions FROM authenticated;
GRANT SELECT ON automation_revisions TO authenticated;

REVOKE ALL ON automations FROM authenticated;
GRANT SELECT,
  INSERT (id, created_by, name, description, active, trigger_type, trigger_config, conditions, actions, priority,
    reentry),
  UPDATE (deleted_at, name, description, active, trigger_type, trigger_config, conditions, actions, priority, reentry)
  ON automations TO authenticated;
DROP POLICY update_own ON automations;
CREATE POLICY update_own ON automations FOR UPDATE TO authenticated
  USING (deleted_at IS NULL AND (created_by = (SELECT auth.uid()) OR (SELECT headrace_is_admin())))
  WITH CHECK (created_by = (SELECT auth.uid()) OR (SELECT headrace_is_admin()));
"""

# What the API refuses with a better word. It stands here too because one row that the contract cannot read would take
# every list with it, and because no event could be matched against it.
_WRONG: Final = r"""
CREATE FUNCTION headrace_wrong_in_workflow(
  name text, description text, trigger_type text, trigger_config jsonb, conditions jsonb, actions jsonb
) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN name !~ '\S' THEN 'name: is empty'
    WHEN char_length(description) > 10000 THEN 'description: has more than 10000 characters'
    WHEN trigger_type !~ '^custom\.[a-z0-9_]+([.-][a-z0-9_]+)*$' AND trigger_type <> ALL (ARRAY[
      'customer.created', 'customer.updated', 'customer.deleted', 'order.created', 'order.paid', 'order.cancelled',
      'order.delivered', 'conversation.created', 'conversation.resolved', 'message.received', 'appointment.created',
      'appointment.completed', 'appointment.missed', 'commission.calculated', 'commission.paid', 'tag.applied',
      'tag.removed', 'temporal.daily', 'temporal.weekly', 'temporal.monthly']) THEN 'trigger_type: is no event type'
    WHEN jsonb_typeof(trigger_config) <> 'object' THEN 'trigger_config: is no object'
    WHEN jsonb_path_exists(trigger_config, 'strict $.**{100}') THEN 'trigger_config: is nested too deeply'
    WHEN jsonb_typeof(conditions) <> 'array' THEN 'conditions: is no array'
    WHEN jsonb_array_length(conditions) > 100 THEN 'conditions: are more than 100'
    WHEN jsonb_path_exists(conditions, 'strict $[*] ? (@.type() <> "object")') THEN 'conditions: one is no object'
    WHEN jsonb_path_exists(conditions, 'strict $.**{100}') THEN 'conditions: are nested too deeply'
    WHEN jsonb_typeof(actions) <> 'array' THEN 'actions: is no array'
    WHEN jsonb_array_length(actions) > 50 THEN 'actions: are more than 50'
    WHEN jsonb_path_exists(actions, 'strict $.**{100}') THEN 'actions: are nested too deeply'
    WHEN jsonb_path_exists(actions, 'strict $[*] ? (@.type() <> "object")') THEN 'actions: one is no object'
    WHEN jsonb_path_exists(actions, 'lax $[*] ? (!(
      @."type".type() == "string" && @."type" like_regex "^.{1,100}$" flag "s"
      && @."order".type() == "number" && @."order" >= 0 && @."order" <= 1000000 && @."order".floor() == @."order"
      && (!exists(@."config") || @."config".type() == "object")
      && (!exists(@."conditions") || @."conditions".type() == "array" && @."conditions".size() <= 100
        && !exists(@."conditions"[*] ? (@.type() <> "object")))
      && (!exists(@."on_error") || @."on_error" == "stop" || @."on_error" == "continue" || @."on_error" == null)
      && !exists(@.keyvalue() ? (!(@."key" == "type" || @."key" == "order" || @."key" == "config"
        || @."key" == "conditions" || @."key" == "on_error")))
      ))') THEN 'actions: one is no {type, order, config, conditions, on_error}'
  END
$$;
"""

_CHECK: Final = """
CREATE FUNCTION headrace_check_workflow() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong text := public.headrace_wrong_in_workflow(
    NEW.name, NEW.description, NEW.trigger_type, NEW.trigger_config, NEW.conditions, NEW.actions);
BEGIN
  NEW.updated_at := clock_timestamp();
  IF TG_OP = 'INSERT' THEN
    NEW.version := 1;
    NEW.created_at := NEW.updated_at;
    NEW.deleted_at := NULL;
    NEW.tombstoned_at := NULL;
  ELSE
    IF OLD.deleted_at IS NOT NULL THEN
      wrong := 'deleted_at: what is deleted stays so';
    END IF;
    NEW.id := OLD.id;
    NEW.created_by := OLD.created_by;
    NEW.created_at := OLD.created_at;
    NEW.tombstoned_at := OLD.tombstoned_at;
    NEW.version := OLD.version + 1;
    IF NEW.deleted_at IS NOT NULL THEN
      NEW.deleted_at := NEW.updated_at;
    END IF;
  END IF;
  NEW.active := coalesce(NEW.active, false) AND NEW.deleted_at IS NULL;
  IF NEW.active AND NEW.actions = '[]' THEN
    wrong := 'actions: there is none';
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION '%', wrong USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION headrace_check_template() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong text := public.headrace_wrong_in_workflow(
    NEW.name, NEW.description, NEW.trigger_type, NEW.trigger_config, NEW.conditions, NEW.actions);
BEGIN
  IF octet_length(NEW.trigger_config::text || NEW.conditions::text || NEW.actions::text) > 196608 THEN
    wrong := 'actions: are too large';
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION '%', wrong USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
"""

_PUBLISH: Final = """
CREATE FUNCTION headrace_publish_workflow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO public.automation_revisions (automation_id, version, created_at, created_by, body)
  VALUES (NEW.id, NEW.version, NEW.updated_at, auth.uid(), jsonb_build_object(
    'v', 1,
    'id', NEW.id,
    'version', NEW.version,
    'name', NEW.name,
    'description', coalesce(NEW.description, ''),
    'active', NEW.active,
    'deleted', NEW.deleted_at IS NOT NULL,
    'priority', NEW.priority,
    'reentry', CASE WHEN starts_with(NEW.reentry, '{') THEN NEW.reentry::jsonb ELSE to_jsonb(NEW.reentry) END,
    'trigger', jsonb_build_object('type', NEW.trigger_type, 'config', NEW.trigger_config),
    'conditions', NEW.conditions,
    'actions', (SELECT coalesce(jsonb_agg(action ORDER BY action -> 'order', place), '[]')
      FROM jsonb_array_elements(NEW.actions) WITH ORDINALITY AS written (action, place)),
    'owner', NEW.created_by,
    'updated_at', to_char(NEW.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')));
  RETURN NULL;
END $$;
"""

# The topic's prefix is a setting of ours, not of the database: no topic can have this name, and the relay knows which
# one is meant. jsonb's own text has a blank after each colon and comma, which is not counted.
_ANNOUNCE: Final = r"""
CREATE FUNCTION headrace_announce_revision() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said text := (NEW.body - 'description')::text;
  size integer := octet_length(said);
BEGIN
  IF size BETWEEN 131073 AND 196608 THEN
    size := octet_length(regexp_replace(said, '("(?:[^"\\]|\\.)*")|([,:]) ', '\1\2', 'g'));
  END IF;
  IF size > 131072 THEN
    RAISE EXCEPTION 'the workflow has % bytes; at most 131072 are allowed', size USING ERRCODE = 'check_violation';
  END IF;
  INSERT INTO public.outbox (topic, key, value)
  VALUES ('@workflows', convert_to(NEW.automation_id::text, 'UTF8'), convert_to(said, 'UTF8'));
  RETURN NULL;
END $$;
"""

_TRIGGERS: Final = """
CREATE TRIGGER automations_check BEFORE INSERT OR UPDATE ON automations FOR EACH ROW
  WHEN (NOT pg_has_role(current_user, 'headrace_rows', 'USAGE')) EXECUTE FUNCTION headrace_check_workflow();
CREATE TRIGGER automations_publish AFTER INSERT OR UPDATE ON automations FOR EACH ROW
  WHEN (NOT pg_has_role(current_user, 'headrace_rows', 'USAGE')) EXECUTE FUNCTION headrace_publish_workflow();
CREATE TRIGGER automation_templates_check BEFORE INSERT OR UPDATE ON automation_templates FOR EACH ROW
  WHEN (NOT pg_has_role(current_user, 'headrace_rows', 'USAGE')) EXECUTE FUNCTION headrace_check_template();
CREATE TRIGGER automation_revisions_announce AFTER INSERT ON automation_revisions FOR EACH ROW
  EXECUTE FUNCTION headrace_announce_revision();
"""

# The tables' owner is a member of headrace_service, so that forced security lets the functions above through.
_OPEN_UNTIL_NOW: Final = (
    "automation_logs_horizon",
    "headrace_schema_version",
    *(f"crm.{name}" for name in ("appointments", "conversations", "customers", "notes", "tags", "tasks")),
)
_POLICY: Final = "CREATE POLICY service ON {table} TO headrace_rows, headrace_service USING (true) WITH CHECK (true)"
_TABLES: Final = (
    *_OPEN_UNTIL_NOW,
    *("affiliates.affiliates", "affiliates.commissions", "crm.messages", "crm.requests", "sales.orders"),
    *("automation_logs", "automation_logs_archive", "automation_revisions", "automation_templates", "automations"),
    *("breakers", "dead_letters", "entries", "execution_keys", "instances", "message_templates"),
    *("notification_channels", "notifications", "outbox", "partition_holds", "receipts", "secrets"),
    *("temporal_audiences", "temporal_schedules", "timers", "user_permissions"),
)
_FORCE: Final = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
REVOKE ALL ON {table} FROM PUBLIC;
"""

# Supabase grants what is new in `public` to its roles by default; ours is granted by name, or not at all.
_CLOSE: Final = """
DO $$
DECLARE
  stranger text;
  thing regclass;
  code regprocedure;
BEGIN
  FOREACH stranger IN ARRAY ARRAY['anon', 'authenticated'] LOOP
    CONTINUE WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = stranger);
    FOR thing IN
      SELECT c.oid FROM pg_class c WHERE c.oid = 'headrace_schema_version'::regclass
        OR c.oid IN (SELECT inhrelid FROM pg_inherits
                     WHERE inhparent IN ('automation_logs'::regclass, 'automation_logs_archive'::regclass))
        OR stranger = 'anon' AND c.oid = ANY (CAST('{%s}' AS text[])::regclass[])
    LOOP
      EXECUTE format('REVOKE ALL ON %%s FROM %%I', thing, stranger);
    END LOOP;
    FOR thing IN
      SELECT d.objid FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
      WHERE d.refobjid = ANY (CAST('{%s}' AS text[])::regclass[]) UNION SELECT 'incarnations'::regclass
    LOOP
      EXECUTE format('REVOKE ALL ON SEQUENCE %%s FROM %%I', thing, stranger);
    END LOOP;
    FOR code IN
      SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND starts_with(proname, 'headrace_')
    LOOP
      EXECUTE format('REVOKE ALL ON FUNCTION %%s FROM PUBLIC, %%I', code, stranger);
    END LOOP;
  END LOOP;
  REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END $$;
GRANT EXECUTE ON FUNCTION headrace_is_admin, headrace_may, headrace_wrong_in_workflow
  TO authenticated, headrace_service;
"""

_PATHS: Final = """
ALTER FUNCTION headrace_is_admin SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION headrace_refuse_update SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION headrace_outbox_notify SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION headrace_timers_notify SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION headrace_breakers_notify SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION headrace_enter(uuid[], text[], uuid[], timestamptz[], interval[]) SET search_path = public, pg_temp;
ALTER FUNCTION headrace_enter(uuid[], text[], uuid[], timestamptz[], interval[], text[])
  SET search_path = public, pg_temp;
"""

# A partition is made later, by a function: it is closed there.
_PARTITION: Final = """
CREATE OR REPLACE FUNCTION headrace_make_log_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  child text := 'automation_logs_' || to_char(day, 'YYYYMMDD');
  bounds text := format('executed_at >= %L AND executed_at < %L', day::timestamptz, (day + 1)::timestamptz);
  parent text := 'automation_logs';
  stranger text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('headrace_log_partitions'));
  IF to_regclass('public.' || child) IS NOT NULL THEN
    RETURN false;
  END IF;
  IF day < (SELECT live_from FROM automation_logs_horizon) THEN
    parent := 'automation_logs_archive';
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS, CONSTRAINT %I CHECK (%s))',
                 child, parent, child || '_day', bounds);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', child);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', child);
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
    EXECUTE format('REVOKE ALL ON %I FROM %I', child, stranger);
  END LOOP;
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                 parent, child, day::timestamptz, (day + 1)::timestamptz);
  RETURN true;
END $$;
"""

# Only where `auth` is what 0001 has made: Supabase's own is Supabase's.
_OUR_AUTH: Final = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_proc WHERE oid = to_regprocedure('auth.uid()') AND pg_has_role(proowner, 'USAGE')
      AND btrim(prosrc, E' \\n') = 'SELECT (nullif(current_setting(''request.jwt.claims'', true), '''')::jsonb'
        || ' ->> ''sub'')::uuid') THEN
    ALTER FUNCTION auth.uid() SET search_path = pg_catalog, pg_temp;
    REVOKE ALL ON FUNCTION auth.uid() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION auth.uid() TO authenticated, headrace_service;
    REVOKE ALL ON auth.users FROM PUBLIC;
    ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
    ALTER TABLE auth.users FORCE ROW LEVEL SECURITY;
    CREATE POLICY service ON auth.users TO headrace_rows, headrace_service USING (true) WITH CHECK (true);
  END IF;
END $$;
"""


def upgrade() -> None:
    """Apply."""
    for part in (_GRANTS, _WRONG, _CHECK, _PUBLISH, _ANNOUNCE, _TRIGGERS, _PARTITION):
        op.execute(part)
    for table in _OPEN_UNTIL_NOW:
        op.execute(_POLICY.format(table=table))
    for table in _TABLES:
        op.execute(_FORCE.format(table=table))
    names = ",".join(_TABLES)
    op.execute(_PATHS)
    op.execute(_CLOSE % (names, names))
    op.execute(_OUR_AUTH)
