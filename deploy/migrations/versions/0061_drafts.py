"""Keep a draft beside a workflow that runs, let a deleted one be restored, and know when each ran last.

A draft is one row a workflow, which every autosave overwrites. Its number goes on where a draft was discarded (the
body is then null), so that an ETag of an earlier draft never fits a later one. What is deleted is restored by taking
the time of its deletion away, which brings it back as it was, switched off, with a revision of its own: the matchers
take it for any other change.
"""

from typing import Final

from alembic import op

revision = "0061"
down_revision = "0060"

_DRAFTS: Final = """
CREATE TABLE automation_drafts (
  automation_id uuid PRIMARY KEY REFERENCES automations(id),
  body jsonb,
  based_on integer NOT NULL CHECK (based_on >= 1),
  changes integer NOT NULL DEFAULT 0 CHECK (changes >= 0),
  version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
  saved_by uuid NOT NULL REFERENCES auth.users(id),
  saved_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT saved_at_readable CHECK (
    saved_at >= '0001-01-02 00:00+00' AND saved_at < '9999-12-31 00:00+00'),
  CONSTRAINT body_shape CHECK (jsonb_typeof(body) = 'object' AND NOT jsonb_path_exists(body, 'strict $.**{100}')),
  CONSTRAINT body_bound CHECK (octet_length(body::text) <= 262144)
);
COMMENT ON TABLE automation_drafts IS 'What is to become of a workflow once it is published; one row, overwritten';
COMMENT ON COLUMN automation_drafts.body IS 'As it was written, right or not; NULL: there is no draft';
COMMENT ON COLUMN automation_drafts.based_on IS 'The version of the workflow that the draft was begun from';
COMMENT ON COLUMN automation_drafts.changes IS 'In how many places it differs from that version, as it was last saved';
COMMENT ON COLUMN automation_drafts.version IS 'Every write makes the next one; also where a draft was discarded';

CREATE FUNCTION headrace_check_draft() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.saved_at := clock_timestamp();
  NEW.saved_by := auth.uid();
  NEW.version := 1;
  IF TG_OP = 'UPDATE' THEN
    NEW.automation_id := OLD.automation_id;
    NEW.version := least(OLD.version, 999999998) + 1;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER automation_drafts_check BEFORE INSERT OR UPDATE ON automation_drafts FOR EACH ROW
  WHEN (NOT pg_has_role(current_user, 'headrace_rows', 'USAGE')) EXECUTE FUNCTION headrace_check_draft();
"""

_LAST_RUNS: Final = """
CREATE TABLE automation_last_runs (
  automation_id uuid PRIMARY KEY,
  last_run_at timestamptz NOT NULL,
  CONSTRAINT last_run_at_readable CHECK (
    last_run_at >= '0001-01-02 00:00+00' AND last_run_at < '9999-12-31 00:00+00')
);
COMMENT ON TABLE automation_last_runs IS 'When a workflow ran last, to 10 seconds; the sink notes it';
INSERT INTO automation_last_runs (automation_id, last_run_at)
SELECT a.id, l.executed_at FROM automations a CROSS JOIN LATERAL (
  SELECT executed_at FROM automation_logs WHERE automation_id = a.id AND attempt > 0 ORDER BY executed_at DESC LIMIT 1
) AS l;
"""

# `(SELECT f())` is evaluated once a statement, a bare `f()` once a row.
_OF_MINE: Final = (
    "(SELECT headrace_is_admin())"
    " OR automation_id IN (SELECT a.id FROM automations a WHERE a.created_by = (SELECT auth.uid()))"
)
_THERE: Final = (
    "automation_id IN (SELECT a.id FROM automations a WHERE a.deleted_at IS NULL"
    " AND (a.created_by = (SELECT auth.uid()) OR (SELECT headrace_is_admin())))"
)
_WALLS: Final = """
ALTER TABLE automation_drafts ENABLE ROW LEVEL SECURITY;
ALTER TABLE automation_drafts FORCE ROW LEVEL SECURITY;
ALTER TABLE automation_last_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE automation_last_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY service ON automation_drafts TO headrace_rows, headrace_service USING (true) WITH CHECK (true);
CREATE POLICY service ON automation_last_runs TO headrace_rows, headrace_service USING (true) WITH CHECK (true);
DO $$
DECLARE
  stranger text;
BEGIN
  -- In Supabase what is new is everybody's, by default privileges.
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('authenticated', 'anon', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON automation_drafts, automation_last_runs FROM PUBLIC, %I', stranger);
    EXECUTE format('REVOKE ALL ON FUNCTION headrace_check_draft() FROM PUBLIC, %I', stranger);
  END LOOP;
END $$;
GRANT SELECT, INSERT (automation_id, body, based_on, changes), UPDATE (body, based_on, changes)
  ON automation_drafts TO authenticated;
GRANT SELECT ON automation_last_runs TO authenticated;
GRANT SELECT, INSERT, UPDATE ON automation_last_runs TO headrace_sink;
"""

_POLICIES: Final = (
    f"select_own ON automation_drafts FOR SELECT TO authenticated USING ({_OF_MINE})",
    f"insert_own ON automation_drafts FOR INSERT TO authenticated WITH CHECK ({_THERE})",
    f"update_own ON automation_drafts FOR UPDATE TO authenticated USING ({_THERE}) WITH CHECK ({_THERE})",
    f"select_own ON automation_last_runs FOR SELECT TO authenticated USING ({_OF_MINE})",
)

_RESTORING: Final = """
DROP POLICY update_own ON automations;
CREATE POLICY update_own ON automations FOR UPDATE TO authenticated
  USING (created_by = (SELECT auth.uid()) OR (SELECT headrace_is_admin()))
  WITH CHECK (created_by = (SELECT auth.uid()) OR (SELECT headrace_is_admin()));

CREATE OR REPLACE FUNCTION headrace_check_workflow() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong text;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.deleted_at IS NOT NULL THEN
    IF NEW.deleted_at IS NOT NULL THEN
      RETURN NULL;
    END IF;
    NEW := OLD;
    NEW.deleted_at := NULL;
    NEW.tombstoned_at := NULL;
    NEW.active := false;
  END IF;
  wrong := public.headrace_wrong_in_workflow(
    NEW.name, NEW.description, NEW.trigger_type, NEW.trigger_config, NEW.conditions, NEW.actions);
  NEW.updated_at := clock_timestamp();
  IF TG_OP = 'INSERT' THEN
    NEW.version := 1;
    NEW.created_at := NEW.updated_at;
    NEW.deleted_at := NULL;
    NEW.tombstoned_at := NULL;
  ELSE
    NEW.id := OLD.id;
    NEW.created_by := OLD.created_by;
    NEW.created_at := OLD.created_at;
    NEW.version := OLD.version + 1;
    IF NEW.deleted_at IS NOT NULL THEN
      NEW.deleted_at := NEW.updated_at;
    END IF;
    IF OLD.deleted_at IS NULL THEN
      NEW.tombstoned_at := OLD.tombstoned_at;
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

CREATE OR REPLACE FUNCTION headrace_check_changed_workflows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT public.headrace_is_admin() THEN
    PERFORM public.headrace_refuse_workflows_over_quota(c.created_by, NULL) FROM (
      SELECT DISTINCT w.created_by FROM written w JOIN replaced r ON r.id = w.id
      WHERE w.deleted_at IS NULL AND r.deleted_at IS NOT NULL) c;
    PERFORM public.headrace_refuse_workflows_over_quota(c.created_by, c.trigger_type) FROM (
      SELECT DISTINCT w.created_by, w.trigger_type FROM written w JOIN replaced r ON r.id = w.id
      WHERE w.active AND (r.active IS NOT TRUE OR r.trigger_type <> w.trigger_type)) c;
  END IF;
  RETURN NULL;
END $$;
"""

# An administrator's list, in each of its orders; a user's own are few, and found by their owner.
_INDEXES: Final = """
CREATE INDEX idx_automations_created_at ON automations (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_automations_updated_at ON automations (updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_automations_name ON automations (lower(name), id) WHERE deleted_at IS NULL;
CREATE INDEX idx_automations_deleted_at ON automations (deleted_at) WHERE deleted_at IS NOT NULL;
"""


def upgrade() -> None:
    """Apply."""
    for part in (_DRAFTS, _LAST_RUNS, _WALLS, _RESTORING, _INDEXES):
        op.execute(part)
    for policy in _POLICIES:
        op.execute(f"CREATE POLICY {policy}")
