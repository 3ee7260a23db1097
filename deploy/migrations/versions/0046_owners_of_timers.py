"""Let a command that has waited still say whose it is, and let executors alone make what waits for a quota.

Owners take turns in executors, by a header of each command. The matcher sends what is over a quota to a topic of its
own, which the workflow executor reads: it writes no timers any more.
"""

from typing import Final

from alembic import op

revision = "0046"
down_revision = "0045"

_TIMERS: Final = """
ALTER TABLE timers ADD COLUMN owner uuid;
COMMENT ON COLUMN timers.owner IS 'Whose workflow the command is of; none where it does not say';
REVOKE SELECT (command_id), INSERT ON timers FROM headrace_matcher;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_TIMERS)
