"""Key dead letters by who read the record and by the record itself, and make them searchable by what they are about.

Keyed by coordinates alone, the letter of a second reader was lost, and so was that of a record in a topic made anew.
"""

from alembic import op

revision = "0020"
down_revision = "0019"

# Letters of older writers name no reader: their role stands for it.
_KEY = """
ALTER TABLE dead_letters
  ADD COLUMN reader text NOT NULL DEFAULT '',
  ADD COLUMN digest text NOT NULL DEFAULT '',
  ADD COLUMN event_id text,
  ADD COLUMN source text,
  ADD COLUMN entity text;
COMMENT ON COLUMN dead_letters.reader IS 'The consumer group, and for which of its parts (a source, a handler)';
COMMENT ON COLUMN dead_letters.digest IS 'Of the record: tells a topic made anew from the one of that name before';
UPDATE dead_letters SET reader = role;
ALTER TABLE dead_letters DROP CONSTRAINT dead_letters_topic_partition_offset_key;
CREATE UNIQUE INDEX dead_letters_read ON dead_letters (topic, "partition", "offset", reader, digest);
"""

_SEARCH = """
CREATE INDEX idx_dead_letters_event ON dead_letters (event_id, id DESC) WHERE event_id IS NOT NULL;
CREATE INDEX idx_dead_letters_source ON dead_letters (source, id DESC) WHERE source IS NOT NULL;
CREATE INDEX idx_dead_letters_entity ON dead_letters (entity, id DESC) WHERE entity IS NOT NULL;
CREATE INDEX idx_dead_letters_reason ON dead_letters (reason, id DESC);
CREATE INDEX idx_dead_letters_topic ON dead_letters (topic, id DESC);
CREATE INDEX idx_dead_letters_role ON dead_letters (role, id DESC);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_KEY)
    op.execute(_SEARCH)
