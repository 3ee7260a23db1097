"""Give each temporal schedule, and each audience on its way, a nonce: what the ids of its events are made with.

The id of a run's event must be the same however often the run is fired, but not one that can be computed by who knows
the workflow and the due time: an event of that id that came first would make the real run a repetition.
"""

from alembic import op

revision = "0029"
down_revision = "0027"

_NONCES = """
ALTER TABLE temporal_schedules ADD COLUMN nonce uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE temporal_audiences ADD COLUMN nonce uuid NOT NULL DEFAULT gen_random_uuid();
COMMENT ON COLUMN temporal_schedules.nonce IS 'What the ids of its events are made with; no user may read it';
COMMENT ON COLUMN temporal_audiences.nonce IS 'That of its schedule, when it began';
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_NONCES)
