"""Create the rest of the reference systems: messages, orders, affiliates, commissions; and what the API was asked.

Customers that were only named by something else get their row: from here on whoever is named has one.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

_CUSTOMERS = """
INSERT INTO crm.customers (customer_id)
SELECT customer_id FROM crm.tags UNION SELECT customer_id FROM crm.notes UNION SELECT customer_id FROM crm.appointments
UNION SELECT customer_id FROM crm.conversations WHERE customer_id IS NOT NULL
UNION SELECT customer_id FROM crm.tasks WHERE customer_id IS NOT NULL
ON CONFLICT (customer_id) DO NOTHING;
CREATE INDEX idx_customers_page ON crm.customers (customer_id COLLATE "C");
"""

_CONVERSATIONS = """
ALTER TABLE crm.conversations ADD COLUMN subject text, ADD COLUMN channel text, ADD COLUMN resolved_at timestamptz;
CREATE TABLE crm.messages (
  message_id uuid PRIMARY KEY,
  conversation_id text NOT NULL,
  customer_id text,
  text text NOT NULL,
  channel text,
  score smallint,
  received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_messages_conversation ON crm.messages (conversation_id, received_at DESC);
CREATE INDEX idx_tasks_created_at ON crm.tasks (created_at DESC, task_id DESC);
CREATE INDEX idx_appointments_created_at ON crm.appointments (created_at DESC, appointment_id DESC);
CREATE INDEX idx_conversations_created_at ON crm.conversations (created_at DESC, conversation_id DESC);
"""

_REQUESTS = """
CREATE TABLE crm.requests (
  key text PRIMARY KEY,
  request text NOT NULL,
  status smallint,
  answer jsonb,
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE crm.requests IS 'Changes asked for under an Idempotency-Key: asked again, they answer as they did';
CREATE INDEX idx_requests_created_at ON crm.requests (created_at);
"""

_SALES = """
CREATE SCHEMA sales;
CREATE TABLE sales.orders (
  order_id text PRIMARY KEY,
  customer_id text NOT NULL,
  affiliate_id text,
  status text NOT NULL DEFAULT 'created' CHECK (status IN ('created', 'paid', 'cancelled', 'delivered')),
  total numeric(14, 2) NOT NULL CHECK (total >= 0),
  currency text NOT NULL,
  items jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(items) = 'array'),
  created_at timestamptz NOT NULL DEFAULT now(),
  paid_at timestamptz,
  cancelled_at timestamptz,
  delivered_at timestamptz
);
CREATE INDEX idx_orders_customer ON sales.orders (customer_id, created_at DESC);
CREATE INDEX idx_orders_created_at ON sales.orders (created_at DESC, order_id DESC);
"""

_AFFILIATES = """
CREATE SCHEMA affiliates;
CREATE TABLE affiliates.affiliates (
  affiliate_id text PRIMARY KEY,
  rate numeric(5, 2) NOT NULL CHECK (rate BETWEEN 0 AND 100),
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN affiliates.affiliates.affiliate_id IS 'Of a customer: name and address are in the CRM';
COMMENT ON COLUMN affiliates.affiliates.rate IS 'Per cent of an order''s total';
CREATE TABLE affiliates.commissions (
  commission_id uuid PRIMARY KEY,
  order_id text NOT NULL UNIQUE,
  affiliate_id text NOT NULL REFERENCES affiliates.affiliates (affiliate_id),
  rate numeric(5, 2) NOT NULL,
  amount numeric(14, 2) NOT NULL,
  currency text NOT NULL,
  status text NOT NULL DEFAULT 'calculated' CHECK (status IN ('calculated', 'paid')),
  created_at timestamptz NOT NULL DEFAULT now(),
  paid_at timestamptz
);
CREATE INDEX idx_commissions_affiliate ON affiliates.commissions (affiliate_id, created_at DESC);
CREATE INDEX idx_commissions_created_at ON affiliates.commissions (created_at DESC, commission_id DESC);
GRANT USAGE ON SCHEMA sales, affiliates TO headrace_service;
"""

_ACCESS = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
REVOKE ALL ON {table} FROM PUBLIC, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO headrace_service;
CREATE POLICY service ON {table} TO headrace_service USING (true) WITH CHECK (true);
"""

_TABLES = ("crm.messages", "crm.requests", "sales.orders", "affiliates.affiliates", "affiliates.commissions")


def upgrade() -> None:
    """Apply."""
    for part in (_CUSTOMERS, _CONVERSATIONS, _REQUESTS, _SALES, _AFFILIATES):
        op.execute(part)
    for table in _TABLES:
        op.execute(_ACCESS.format(table=table))
