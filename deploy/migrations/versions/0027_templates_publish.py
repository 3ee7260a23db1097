"""Let only those publish a template who may: everybody sees a public one, and starts from it.

Its author takes it back, or removes it, without that: such a row is private, or gone.
"""

from alembic import op

revision = "0027"
down_revision = "0026"

_MINE = "(created_by = (SELECT auth.uid()) OR (SELECT headrace_is_admin()))"
_SHOWN = "(is_public IS NOT TRUE OR (SELECT headrace_may('templates:publish')))"
_POLICIES = f"""
ALTER POLICY insert_own ON automation_templates WITH CHECK ({_MINE} AND {_SHOWN});
ALTER POLICY update_own ON automation_templates USING ({_MINE}) WITH CHECK ({_MINE} AND {_SHOWN});
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_POLICIES)
