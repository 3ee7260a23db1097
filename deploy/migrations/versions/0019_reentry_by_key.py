"""Let entries be counted by a field of the event instead of its entity."""

from alembic import op

revision = "0019"
down_revision = "0018"

_COLUMNS = """
COMMENT ON COLUMN automations.reentry IS
  'How often one entity may enter: always, once, once per <duration>; or, for each value of a field, JSON with a key';
ALTER TABLE entries ADD COLUMN key text NOT NULL DEFAULT '';
ALTER TABLE entries DROP CONSTRAINT entries_pkey, ADD PRIMARY KEY (workflow_id, key, entity);
COMMENT ON COLUMN entries.key IS 'Path into the event whose value stands in entity; empty: the entity itself does';
COMMENT ON COLUMN entries.entity IS 'Who entered; a long value is cut, with its digest';
"""

_BY_KEY = """
CREATE FUNCTION headrace_enter(
  workflows uuid[], entities text[], execution_ids uuid[], moments timestamptz[], windows interval[], keys text[]
) RETURNS timestamptz[] LANGUAGE plpgsql AS $$
DECLARE
  since timestamptz[] := array_fill(NULL::timestamptz, ARRAY[cardinality(workflows)]);
  asking record;
  held entries;
BEGIN
  FOR asking IN
    SELECT * FROM unnest(workflows, entities, execution_ids, moments, windows, keys) WITH ORDINALITY
      AS t (workflow_id, entity, execution_id, moment, span, key, place)
    ORDER BY workflow_id, key, entity, place
  LOOP
    LOOP
      INSERT INTO entries (workflow_id, key, entity, executions, entered_at)
        VALUES (asking.workflow_id, asking.key, asking.entity, ARRAY[asking.execution_id], asking.moment)
        ON CONFLICT DO NOTHING;
      EXIT WHEN FOUND;
      SELECT * INTO held FROM entries e
        WHERE e.workflow_id = asking.workflow_id AND e.key = asking.key AND e.entity = asking.entity FOR UPDATE;
      CONTINUE WHEN NOT FOUND;  -- upkeep has just deleted it
      EXIT WHEN asking.execution_id = ANY (held.executions);
      IF asking.moment >= held.entered_at + asking.span THEN
        UPDATE entries e SET executions = (asking.execution_id || held.executions)[1:16], entered_at = asking.moment
          WHERE e.workflow_id = asking.workflow_id AND e.key = asking.key AND e.entity = asking.entity;
      ELSE
        since[asking.place] := held.entered_at;
      END IF;
      EXIT;
    END LOOP;
  END LOOP;
  RETURN since;
END $$;
"""

# Matchers of before the upgrade ask without keys.
_BY_ENTITY = """
CREATE OR REPLACE FUNCTION headrace_enter(
  workflows uuid[], entities text[], execution_ids uuid[], moments timestamptz[], windows interval[]
) RETURNS timestamptz[] LANGUAGE sql AS $$
  SELECT headrace_enter(
    workflows, entities, execution_ids, moments, windows, array_fill(''::text, ARRAY[cardinality(workflows)])
  )
$$;
"""

_ACCESS = """
REVOKE ALL ON FUNCTION headrace_enter(uuid[], text[], uuid[], timestamptz[], interval[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION headrace_enter(uuid[], text[], uuid[], timestamptz[], interval[], text[]) TO headrace_service;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_COLUMNS)
    op.execute(_BY_KEY)
    op.execute(_BY_ENTITY)
    op.execute(_ACCESS)
