"""Let turns be taken in one table and by one function, of an owner's things as of the API's.

``owner_turns`` was ``turns`` a second time. It stays as it is, for what still runs by the function of before while this
is applied; nothing writes it after that. Who waits for a turn gives up after two seconds: an owner who keeps a
transaction open waits for themselves, and does not keep the API's connections for it.
"""

from typing import Final

from alembic import op

revision = "0048"
down_revision = "0047"

_TURNS: Final = """
GRANT SELECT, INSERT, UPDATE ON turns TO headrace_service;
CREATE FUNCTION headrace_take_turn(name text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
  INSERT INTO public.turns (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name
$$;
CREATE OR REPLACE FUNCTION headrace_take_turn(owner uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
  SELECT public.headrace_take_turn('owner ' || $1::text)
$$;
COMMENT ON TABLE turns IS 'Rows that are locked where two transactions at once would step over a limit';
COMMENT ON TABLE owner_turns IS 'Not used any more: turns are taken in the table turns';
"""


# Supabase grants what is new in `public` to its roles by default.
_GRANTS: Final = """
DO $$
DECLARE
  stranger text;
BEGIN
  REVOKE ALL ON FUNCTION headrace_take_turn(text) FROM PUBLIC;
  FOR stranger IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION headrace_take_turn(text) FROM %I', stranger);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION headrace_take_turn(text) TO headrace_api;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_TURNS)
    op.execute(_GRANTS)
