"""Give workflow templates placeholders, and tell every process that lists them of each change."""

from typing import Final

from alembic import op

revision = "0058"
down_revision = "0057"

# As much as the API takes; what else is wrong with a declaration is said when the template is applied.
_COLUMN: Final = """
ALTER TABLE automation_templates ADD COLUMN placeholders jsonb NOT NULL DEFAULT '[]' CONSTRAINT placeholders_declared
  CHECK (jsonb_typeof(placeholders) = 'array' AND jsonb_array_length(placeholders) <= 50
    AND octet_length(placeholders::text) <= 262144
    AND NOT jsonb_path_exists(placeholders, 'strict $[*] ? (@.type() <> "object")')
    AND NOT jsonb_path_exists(placeholders, 'strict $.**{100}'));
GRANT INSERT (placeholders), UPDATE (placeholders) ON automation_templates TO authenticated;
"""
_TELL: Final = """
CREATE FUNCTION headrace_tell_of_templates() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('headrace_templates', '');
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION headrace_tell_of_templates() FROM PUBLIC;
CREATE TRIGGER automation_templates_told AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON automation_templates
  FOR EACH STATEMENT EXECUTE FUNCTION headrace_tell_of_templates();
"""
# In Supabase what is new is everybody's, by default privileges.
_OURS: Final = """
DO $$
DECLARE
  stranger text;
BEGIN
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('authenticated', 'anon', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION headrace_tell_of_templates() FROM %I', stranger);
  END LOOP;
END $$;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_COLUMN)
    op.execute(_TELL)
    op.execute(_OURS)
