"""Create the rest of the reference CRM: customers, appointments, conversations, tasks."""

from alembic import op

revision = "0010"
down_revision = "0009"

_CRM = """
CREATE TABLE crm.customers (
  customer_id text PRIMARY KEY,
  profile jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(profile) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT profile_fits_an_event CHECK (octet_length(profile::text) <= 65536)
);
COMMENT ON COLUMN crm.customers.profile IS 'name, email, phone and whatever else; its events carry all of it';

CREATE TABLE crm.appointments (
  appointment_id uuid PRIMARY KEY,
  customer_id text NOT NULL,
  title text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz CHECK (ends_at > starts_at),
  assignee text,
  status text NOT NULL DEFAULT 'planned' CHECK (status IN ('planned', 'completed', 'missed')),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_appointments_customer ON crm.appointments (customer_id, starts_at DESC);

CREATE TABLE crm.conversations (
  conversation_id text PRIMARY KEY,
  customer_id text,
  assignee text,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'resolved')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_conversations_customer ON crm.conversations (customer_id, created_at DESC);

CREATE TABLE crm.tasks (
  task_id uuid PRIMARY KEY,
  customer_id text,
  title text NOT NULL,
  description text NOT NULL DEFAULT '',
  assignee text,
  due_at timestamptz,
  done_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_tasks_customer ON crm.tasks (customer_id, created_at DESC);

GRANT SELECT, INSERT, UPDATE, DELETE ON crm.customers, crm.appointments, crm.conversations, crm.tasks
  TO headrace_service;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_CRM)
