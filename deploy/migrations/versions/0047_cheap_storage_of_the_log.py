"""Let Postgres not squeeze the JSON of the log with pglz: an array of 500 numbers took it 0.8 ms of CPU.

That was three quarters of what such a row cost, and rows of one user's events are before everybody else's. Where the
server has lz4 it compresses with that; where it has not, values too long for their row are stored as they are.
"""

from typing import Final

from alembic import op

revision = "0047"
down_revision = "0046"

_STORAGE: Final = """
DO $$
DECLARE
  which regclass;
  wide text;
BEGIN
  FOR which IN
    SELECT unnest(ARRAY['automation_logs', 'automation_logs_archive']::regclass[])
    UNION SELECT inhrelid::regclass FROM pg_inherits
    WHERE inhparent IN ('automation_logs'::regclass, 'automation_logs_archive'::regclass)
  LOOP
    FOREACH wide IN ARRAY ARRAY['trigger_event', 'conditions_result', 'actions_executed'] LOOP
      BEGIN
        EXECUTE format('ALTER TABLE %s ALTER %I SET COMPRESSION lz4', which, wide);
      EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
        EXECUTE format('ALTER TABLE %s ALTER %I SET STORAGE EXTERNAL', which, wide);
      END;
    END LOOP;
  END LOOP;
END $$;
"""
# A partition is made with the table's defaults; now also with how it stores.
_PARTITIONS: Final = """
DO $$
BEGIN
  EXECUTE replace(pg_get_functiondef('headrace_make_log_partition(date)'::regprocedure),
    'INCLUDING DEFAULTS', 'INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION');
END $$;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_STORAGE)
    op.execute(_PARTITIONS)
