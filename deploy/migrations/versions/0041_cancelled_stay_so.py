"""Let matchers see which commands were begun or cancelled: an event that comes again makes them wait no more."""

from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Apply."""
    op.execute("GRANT SELECT (command_id) ON receipts TO headrace_matcher")
