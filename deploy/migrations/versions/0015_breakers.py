"""Create the circuit breakers, and let what waits for them be found by destination."""

from alembic import op

revision = "0015"
down_revision = "0014"

_BREAKERS = """
CREATE TABLE breakers (
  destination text PRIMARY KEY,
  closed boolean NOT NULL DEFAULT true,
  until timestamptz NOT NULL DEFAULT now(),
  reason text NOT NULL DEFAULT '',
  probes integer NOT NULL DEFAULT 0,
  successes integer NOT NULL DEFAULT 0,
  probing_since timestamptz
);
COMMENT ON TABLE breakers IS 'Destinations that failed; written when a circuit breaker opens, is probed or closes';

CREATE FUNCTION headrace_breakers_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('headrace_breakers', '');
  RETURN NULL;
END $$;
CREATE TRIGGER breakers_notify AFTER UPDATE OR DELETE ON breakers FOR EACH ROW
  EXECUTE FUNCTION headrace_breakers_notify();

ALTER TABLE breakers ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON breakers FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON breakers TO headrace_service;
CREATE POLICY service ON breakers TO headrace_service USING (true) WITH CHECK (true);

ALTER TABLE timers ADD COLUMN deadline timestamptz;
ALTER TABLE timers ADD CONSTRAINT timers_circuit CHECK ((kind = 'circuit') = (destination IS NOT NULL));
ALTER TABLE timers ADD CONSTRAINT timers_deadline CHECK ((kind = 'circuit') = (deadline IS NOT NULL));
DROP INDEX idx_timers_due;
DROP INDEX idx_timers_destination;
CREATE INDEX idx_timers_due ON timers (due) WHERE kind <> 'circuit';
CREATE INDEX idx_timers_destination ON timers (destination, due) WHERE kind = 'circuit';
CREATE INDEX idx_timers_deadline ON timers (deadline) WHERE kind = 'circuit';
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_BREAKERS)
