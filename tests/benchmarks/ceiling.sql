-- What the ceiling keeps, as the product does: receipts, one key row an execution, tags, the log with its indexes.
CREATE TABLE automations (id uuid PRIMARY KEY);

CREATE TABLE execution_keys (
  execution_id uuid PRIMARY KEY,
  version integer NOT NULL,
  executed_at timestamptz NOT NULL,
  attempt integer NOT NULL
);

CREATE TABLE receipts (
  command_id uuid PRIMARY KEY,
  execution_id uuid NOT NULL,
  owner text NOT NULL,
  lease_until timestamptz NOT NULL,
  result jsonb
);

CREATE TABLE customer_tags (
  customer_id text NOT NULL,
  tag text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (customer_id, tag)
);

CREATE TABLE automation_logs (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  automation_id uuid NOT NULL REFERENCES automations(id),
  trigger_event jsonb NOT NULL,
  conditions_met boolean NOT NULL,
  conditions_result jsonb,
  actions_executed jsonb NOT NULL DEFAULT '[]',
  status varchar(50) NOT NULL,
  error_message text,
  execution_duration_ms integer,
  executed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (id, executed_at)
) PARTITION BY RANGE (executed_at);
CREATE TABLE automation_logs_default PARTITION OF automation_logs DEFAULT;
CREATE INDEX idx_automation_logs_automation ON automation_logs (automation_id, executed_at DESC);
CREATE INDEX idx_automation_logs_status ON automation_logs (status, executed_at DESC);
CREATE INDEX idx_automation_logs_executed_at ON automation_logs (executed_at DESC);
