"""Refuse times that Python cannot load in what alerts and heartbeats keep, as 0023 does elsewhere."""

from typing import Final

from alembic import op

revision = "0056"
down_revision = "0055"

_TIMES: Final = {
    "alert_states": ("changed_at",),
    "alert_channels": ("next_at",),
    "workflow_failures": ("since", "failed_at", "told_at"),
    "heartbeats": ("started_at", "seen_at", "stopped_at"),
}
_READABLE: Final = "{column} >= '0001-01-02 00:00+00' AND {column} < '9999-12-31 00:00+00'"
# Whoever reads one row that cannot be loaded reads none of its neighbours: what is there is brought back to now.
_MEND: Final = "UPDATE {table} SET {column} = now() WHERE NOT ({readable})"
_REFUSE: Final = "ALTER TABLE {table} ADD CONSTRAINT {column}_readable CHECK ({readable})"
_STARTS: Final = """
ALTER TABLE heartbeats ADD CONSTRAINT starts_readable CHECK (
  '0001-01-02 00:00+00' <= ALL (starts) AND '9999-12-31 00:00+00' > ALL (starts))
"""


def upgrade() -> None:
    """Apply."""
    for table, columns in _TIMES.items():
        for column in columns:
            readable = _READABLE.format(column=column)
            op.execute(_MEND.format(table=table, column=column, readable=readable))
            op.execute(_REFUSE.format(table=table, column=column, readable=readable))
    op.execute(_STARTS)
