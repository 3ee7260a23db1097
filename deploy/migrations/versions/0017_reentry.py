"""Create the entries: which entity has entered which workflow, for workflows that bound it."""

from alembic import op

revision = "0017"
down_revision = "0016"

_COLUMNS = """
ALTER TABLE automations ADD COLUMN reentry text NOT NULL DEFAULT 'always';
ALTER TABLE automation_templates ADD COLUMN reentry text NOT NULL DEFAULT 'always';
COMMENT ON COLUMN automations.reentry IS 'How often one entity may enter: always, once, once per <duration>';
"""

_ENTRIES = """
CREATE TABLE entries (
  workflow_id uuid NOT NULL,
  entity text NOT NULL,
  executions uuid[] NOT NULL,
  entered_at timestamptz NOT NULL,
  PRIMARY KEY (workflow_id, entity)
);
COMMENT ON COLUMN entries.executions IS 'Let in, newest first; the last 16, for events that are delivered again';
COMMENT ON COLUMN entries.entered_at IS 'When the event of the newest came into Kafka';
"""

# Each statement of the loop sees what others have committed by then, and the row is locked before it is judged. All
# take their rows in one order, so that two matchers never wait for each other.
_ENTER = """
CREATE FUNCTION headrace_enter(
  workflows uuid[], entities text[], execution_ids uuid[], moments timestamptz[], windows interval[]
) RETURNS timestamptz[] LANGUAGE plpgsql AS $$
DECLARE
  since timestamptz[] := array_fill(NULL::timestamptz, ARRAY[cardinality(workflows)]);
  asking record;
  held entries;
BEGIN
  FOR asking IN
    SELECT * FROM unnest(workflows, entities, execution_ids, moments, windows) WITH ORDINALITY
      AS t (workflow_id, entity, execution_id, moment, span, place)
    ORDER BY workflow_id, entity, place
  LOOP
    LOOP
      INSERT INTO entries VALUES (asking.workflow_id, asking.entity, ARRAY[asking.execution_id], asking.moment)
        ON CONFLICT DO NOTHING;
      EXIT WHEN FOUND;
      SELECT * INTO held FROM entries e
        WHERE e.workflow_id = asking.workflow_id AND e.entity = asking.entity FOR UPDATE;
      CONTINUE WHEN NOT FOUND;  -- upkeep has just deleted it
      EXIT WHEN asking.execution_id = ANY (held.executions);
      IF asking.moment >= held.entered_at + asking.span THEN
        UPDATE entries e SET executions = (asking.execution_id || held.executions)[1:16], entered_at = asking.moment
          WHERE e.workflow_id = asking.workflow_id AND e.entity = asking.entity;
      ELSE
        since[asking.place] := held.entered_at;
      END IF;
      EXIT;
    END LOOP;
  END LOOP;
  RETURN since;
END $$;
"""

_ACCESS = """
ALTER TABLE entries ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON entries FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON entries TO headrace_service;
CREATE POLICY service ON entries TO headrace_service USING (true) WITH CHECK (true);
REVOKE ALL ON FUNCTION headrace_enter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION headrace_enter TO headrace_service;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_COLUMNS)
    op.execute(_ENTRIES)
    op.execute(_ENTER)
    op.execute(_ACCESS)
