"""Let every role see at its start whether the schema is its own, and which types of actions are in use.

A role without its tables, or without the account that an action needs, ran on and failed record by record. No role may
read users' workflows for that: a function tells the types alone.
"""

from typing import Final

from alembic import op

revision = "0054"
down_revision = "0053"

_IN_USE: Final = """
CREATE FUNCTION headrace_action_types_in_use() RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(array_agg(DISTINCT action ->> 'type'), '{}')
  FROM public.automations w, jsonb_array_elements(w.actions) AS action
  WHERE w.active AND w.deleted_at IS NULL
$$;
"""
# Supabase grants what is new in `public` to its roles by default.
_GRANTS: Final = """
DO $$
DECLARE
  stranger text;
BEGIN
  REVOKE ALL ON FUNCTION headrace_action_types_in_use() FROM PUBLIC;
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION headrace_action_types_in_use() FROM %I', stranger);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION headrace_action_types_in_use() TO headrace_executor, headrace_service;
GRANT SELECT (version_num) ON headrace_schema_version
  TO headrace_matcher, headrace_executor, headrace_sink, headrace_scheduler, headrace_sources, headrace_api,
  headrace_service;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_IN_USE)
    op.execute(_GRANTS)
