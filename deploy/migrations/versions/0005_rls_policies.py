"""Create the roles and the RLS policies, in Supabase's form.

``authenticated`` is the API's role: who asks is in ``request.jwt.claims`` of the transaction. ``headrace_service`` is
the workers' role. Neither can log in or bypass RLS; the login user switches to one of them.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

# Roles belong to the cluster: another database's migration may be making the same one right now.
_ROLES = """
DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['authenticated', 'headrace_service'] LOOP
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', wanted);
      END IF;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role % is missing and % may not create it', wanted, current_user
          USING HINT = format('As an administrator: CREATE ROLE %I NOLOGIN; GRANT %I TO %I;',
                              wanted, wanted, current_user);
    END;
    BEGIN
      IF NOT pg_has_role(current_user, wanted, 'USAGE') THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
      END IF;
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION '% may not act as the role %', current_user, wanted
        USING HINT = format('As an administrator: GRANT %I TO %I;', wanted, current_user);
    END;
  END LOOP;
END $$;
"""

_GRANTS = """
GRANT USAGE ON SCHEMA public TO authenticated, headrace_service;
REVOKE ALL ON automations, automation_revisions, automation_logs, automation_logs_archive, automation_templates,
  automation_logs_horizon FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE ON automations TO authenticated;
GRANT SELECT, INSERT ON automation_revisions TO authenticated;
GRANT SELECT ON automation_logs, automation_logs_archive TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON automation_templates TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON automations, automation_revisions, automation_logs, automation_logs_archive,
  automation_templates TO headrace_service;
GRANT SELECT ON automation_logs_horizon TO headrace_service;
GRANT EXECUTE ON FUNCTION headrace_make_log_partition, headrace_archive_log_partition TO headrace_service;
"""

# Where auth is ours, its users are the API's callers: known by their token, entered on their first write.
_AUTH_GRANTS = """
DO $$
BEGIN
  IF pg_has_role(current_user, (SELECT nspowner FROM pg_namespace WHERE nspname = 'auth'), 'USAGE') THEN
    GRANT USAGE ON SCHEMA auth TO authenticated, headrace_service;
    GRANT SELECT, INSERT ON auth.users TO headrace_service;
  END IF;
END $$;
"""

_IS_ADMIN = """
CREATE FUNCTION headrace_is_admin() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(claims ->> 'role' = 'admin' OR claims #>> '{app_metadata,role}' = 'admin', false)
  FROM (SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb) AS jwt(claims)
$$;
"""

_ENABLE = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY service ON {table} TO headrace_service USING (true) WITH CHECK (true);
"""

# `(SELECT f())` is evaluated once a statement, a bare `f()` once a row.
_MINE = "created_by = (SELECT auth.uid()) OR (SELECT headrace_is_admin())"
_OF_MINE = (
    "(SELECT headrace_is_admin())"
    " OR automation_id IN (SELECT a.id FROM automations a WHERE a.created_by = (SELECT auth.uid()))"
)
_POLICIES = f"""
CREATE POLICY select_own ON automations FOR SELECT TO authenticated USING ({_MINE});
CREATE POLICY insert_own ON automations FOR INSERT TO authenticated WITH CHECK ({_MINE});
CREATE POLICY update_own ON automations FOR UPDATE TO authenticated USING ({_MINE}) WITH CHECK ({_MINE});

CREATE POLICY select_own ON automation_revisions FOR SELECT TO authenticated USING ({_OF_MINE});
CREATE POLICY insert_own ON automation_revisions FOR INSERT TO authenticated WITH CHECK ({_OF_MINE});

CREATE POLICY select_own ON automation_logs FOR SELECT TO authenticated USING ({_OF_MINE});
CREATE POLICY select_own ON automation_logs_archive FOR SELECT TO authenticated USING ({_OF_MINE});

CREATE POLICY select_visible ON automation_templates FOR SELECT TO authenticated USING (is_public OR {_MINE});
CREATE POLICY insert_own ON automation_templates FOR INSERT TO authenticated WITH CHECK ({_MINE});
CREATE POLICY update_own ON automation_templates FOR UPDATE TO authenticated USING ({_MINE}) WITH CHECK ({_MINE});
CREATE POLICY delete_own ON automation_templates FOR DELETE TO authenticated USING ({_MINE});
"""

_TABLES = (
    "automations",
    "automation_revisions",
    "automation_logs",
    "automation_logs_archive",
    "automation_templates",
)


def upgrade() -> None:
    """Apply."""
    op.execute(_ROLES)
    op.execute(_GRANTS)
    op.execute(_AUTH_GRANTS)
    op.execute(_IS_ADMIN)
    for table in _TABLES:
        op.execute(_ENABLE.format(table=table))
    op.execute(_POLICIES)
