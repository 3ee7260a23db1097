"""Let the pages say what fires, and what a step that waits is.

``topic`` is the action type's (or the sink's); it names no one, and the record itself stays closed.
"""

from typing import Final

from alembic import op

revision = "0066"
down_revision = "0065"

_GRANTS: Final = """
GRANT SELECT (name, subjects) ON alert_states TO headrace_api;
GRANT SELECT (topic) ON timers TO authenticated;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_GRANTS)
