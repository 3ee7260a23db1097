"""Find customers of the reference CRM by the beginning of their e-mail, their name, or the last word of it.

Columns that Postgres derives, and not indexes on expressions: an index on an expression over ``profile`` would have
each change of any field write every index, where a derived column that stays as it was leaves the update in its page.
What is derived is cut, for an index takes no long texts, and compared byte by byte, so that a beginning is a range.
"""

from typing import Final

from alembic import op

revision = "0065"
down_revision = "0064"

_FOUND: Final = """
ALTER TABLE crm.customers
  ADD COLUMN email_begins text COLLATE "C" GENERATED ALWAYS AS (left(lower(profile ->> 'email'), 254)) STORED,
  ADD COLUMN name_begins text COLLATE "C" GENERATED ALWAYS AS (left(lower(profile ->> 'name'), 254)) STORED,
  ADD COLUMN last_name_begins text COLLATE "C"
    GENERATED ALWAYS AS (split_part(rtrim(left(lower(profile ->> 'name'), 254)), ' ', -1)) STORED;
COMMENT ON COLUMN crm.customers.email_begins IS 'What a search for the beginning of an e-mail address looks at';
COMMENT ON COLUMN crm.customers.name_begins IS 'What a search for the beginning of a name looks at';
COMMENT ON COLUMN crm.customers.last_name_begins IS 'The last word of the name, for the same';
CREATE INDEX idx_customers_email ON crm.customers (email_begins);
CREATE INDEX idx_customers_name ON crm.customers (name_begins);
CREATE INDEX idx_customers_last_name ON crm.customers (last_name_begins);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_FOUND)
