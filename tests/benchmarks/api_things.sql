-- What there is beside the log, each step once: 200 workflows of 26 owners, one of whom has 80 and one alone three
-- quarters of the executions; and what the other lists show, as an installation has it after some months.
CREATE SCHEMA IF NOT EXISTS bench;
CREATE FUNCTION bench.workflow(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS
  $$ SELECT ('00000000-0000-4000-9000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
CREATE FUNCTION bench.owner(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS
  $$ SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(CASE WHEN n < 80 THEN 0 WHEN n < 180 THEN 1 + (n - 80) / 20
    ELSE n - 174 END), 12, '0'))::uuid $$;
CREATE FUNCTION bench.kind(n integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT (ARRAY['order.paid',
  'order.created', 'customer.created', 'order.delivered', 'conversation.message_received', 'appointment.completed',
  'order.cancelled', 'customer.updated', 'tag.applied', 'commission.paid', 'shop.cart.abandoned'])[1 + n % 11] $$;
CREATE FUNCTION bench.bare(partition text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  made text;
BEGIN
  EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', partition, partition || '_pkey');
  FOR made IN SELECT indexrelid::regclass FROM pg_index WHERE indrelid = partition::regclass LOOP
    EXECUTE format('DROP INDEX %s', made);
  END LOOP;
END $$;
CREATE TABLE bench.state (single boolean PRIMARY KEY DEFAULT true, rows_made bigint NOT NULL,
  numbered bigint NOT NULL, upto timestamptz NOT NULL);

INSERT INTO auth.users (id) SELECT DISTINCT bench.owner(n) FROM generate_series(0, 199) AS n ON CONFLICT DO NOTHING;
INSERT INTO automations (id, name, description, active, trigger_type, conditions, actions, created_by, created_at,
  updated_at, deleted_at)
SELECT bench.workflow(n), (ARRAY['Welcome', 'Win back', 'Big order', 'Late delivery', 'Review', 'No-show'])[1 + n % 6]
    || ' ' || n, repeat('What it is for, and who asked for it. ', 1 + n % 5), n % 10 <> 0, bench.kind(n),
  '[{"field": "order.total", "operator": ">", "value": 100},
    {"field": "customer.city", "operator": "in", "value": ["Recife", "Olinda"]}]',
  '[{"type": "webhook", "order": 1, "config": {"url": "https://hooks.example.com/orders", "body": {"id": "x"}}},
    {"type": "apply_tag", "order": 2, "config": {"tag": "vip"}}]',
  bench.owner(n), now() - interval '70 days' + n * interval '3 hours', now() - n * interval '5 hours',
  CASE WHEN n % 25 = 24 THEN now() - interval '1 day' END
FROM generate_series(0, 199) AS n;
INSERT INTO automation_revisions (automation_id, version, body, created_by)
SELECT a.id, v, jsonb_build_object('id', a.id, 'name', a.name, 'description', a.description, 'active', a.active,
  'priority', a.priority, 'reentry', a.reentry, 'trigger', jsonb_build_object('type', a.trigger_type, 'config', '{}'::jsonb),
  'conditions', a.conditions, 'actions', a.actions, 'version', v, 'owner', a.created_by,
  'updated_at', a.updated_at), a.created_by FROM automations AS a, generate_series(1, 20) AS v;
INSERT INTO automation_drafts (automation_id, body, based_on, changes, saved_by)
SELECT bench.workflow(n), '{"name": "x"}', 1, 1, bench.owner(n) FROM generate_series(0, 199, 5) AS n;
INSERT INTO automation_templates (id, name, description, category, trigger_type, conditions, actions, is_public,
  created_by, usage_count, created_at)
SELECT gen_random_uuid(), 'Template ' || n, repeat('What it does. ', 10), 'category ' || n % 12, bench.kind(n), '[]',
  '[{"type": "apply_tag", "order": 1, "config": {"tag": "vip"}}]', n % 2 = 0, bench.owner(n % 200), n % 50,
  now() - n * interval '1 hour' FROM generate_series(1, 500) AS n;
INSERT INTO message_templates (id, name, kind, subject, text, created_by, created_at)
SELECT gen_random_uuid(), 'Message ' || n, (ARRAY['email', 'sms', 'whatsapp', 'notification'])[1 + n % 4], 'Hello',
  repeat('Dear {{ customer.name }}, ', 40), bench.owner(n % 200), now() - n * interval '1 hour'
FROM generate_series(1, 500) AS n;
INSERT INTO users (id, email, name, role, created_at, disabled_at)
SELECT gen_random_uuid(), 'user' || n || '@example.com', 'User ' || n, CASE WHEN n % 100 = 0 THEN 'admin' ELSE 'user' END,
  now() - n * interval '1 hour', CASE WHEN n % 20 = 0 THEN now() END FROM generate_series(1, 2000) AS n;
INSERT INTO sessions (id, user_id, digest, how, created_at, expires_at)
SELECT gen_random_uuid(), id, sha256(id::text::bytea), 'password', created_at, now() + interval '300 days' FROM users;
INSERT INTO audit_trail (at, actor, actor_kind, action, kind, object_id, name, version, changes)
SELECT now() - n * interval '5 minutes', bench.owner(n % 200), 'user',
  (ARRAY['changed', 'activated', 'deactivated', 'created', 'deleted'])[1 + n % 5],
  (ARRAY['workflow', 'workflow', 'template', 'secret', 'user'])[1 + (n / 7) % 5], bench.workflow(n % 200)::text,
  'Workflow ' || n % 200, n % 30, '{"name": {"old": "before it was changed", "new": "after it was changed"}}'
FROM generate_series(1, 200000) AS n;
INSERT INTO dead_letters (topic, "partition", "offset", reason, detail, key, value, size, role, failed_at, reader, digest,
  event_id, source, entity, replayed_at, discarded_at)
SELECT (ARRAY['events.order', 'events.customer', 'actions.webhook'])[1 + n % 3], n % 8, n,
  (ARRAY['malformed', 'too_large', 'poison'])[1 + n % 3], 'the body is not JSON: line 1, column ' || n % 90, 'c',
  decode(repeat('7b22', 300), 'hex'), 600, (ARRAY['matcher', 'executor-system', 'sink'])[1 + n % 3],
  now() - n * interval '1 minute', 'matcher', '', 'evt-' || n, '/shop', 'c-' || n,
  CASE WHEN n % 3 = 0 THEN now() END, CASE WHEN n % 3 = 1 THEN now() END FROM generate_series(1, 50000) AS n;
INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, due, topic, key, value)
SELECT gen_random_uuid(), gen_random_uuid(), bench.workflow(floor(200 * power(random(), 3))::integer), 'c-' || n % 20000,
  1, 'delay', 'waits', now() + n * interval '1 minute', 'actions.apply_tag', 'c', decode(repeat('7b22', 500), 'hex')
FROM generate_series(1, 50000) AS n;
INSERT INTO notifications (id, user_id, title, body, workflow_id, execution_id, created_at, read_at)
SELECT gen_random_uuid(), bench.owner(n % 200), 'Order ' || n, 'It was paid.', bench.workflow(n % 200),
  gen_random_uuid(), now() - n * interval '1 minute', CASE WHEN n % 4 > 0 THEN now() END
FROM generate_series(1, 50000) AS n;
INSERT INTO crm.customers (customer_id, profile, created_at)
SELECT 'c-' || n, jsonb_build_object('name', 'Customer ' || n, 'email', 'c-' || n || '@example.com', 'phone',
  '+55 81 ' || n, 'city', 'Recife', 'state', 'PE', 'orders', n % 40), now() - n * interval '25 seconds'
FROM generate_series(0, 199999) AS n;
INSERT INTO crm.tags (customer_id, tag) SELECT 'c-' || n, tag FROM generate_series(0, 199999) AS n,
  unnest(ARRAY['newsletter', 'vip']) AS tag WHERE tag = 'newsletter' OR n % 9 = 0;
INSERT INTO crm.notes (note_id, customer_id, text, created_at)
SELECT gen_random_uuid(), 'c-' || n % 20000, 'Order seen.', now() - n * interval '1 minute'
FROM generate_series(1, 100000) AS n;
INSERT INTO crm.tasks (task_id, customer_id, title, created_at, done_at)
SELECT gen_random_uuid(), 'c-' || n % 20000, 'Call back', now() - n * interval '1 minute',
  CASE WHEN n % 500 > 0 THEN now() END FROM generate_series(1, 100000) AS n;
INSERT INTO crm.appointments (appointment_id, customer_id, title, starts_at, created_at, status)
SELECT gen_random_uuid(), 'c-' || n % 20000, 'Visit', now(), now() - n * interval '1 minute',
  CASE WHEN n % 500 = 0 THEN 'missed' ELSE 'completed' END FROM generate_series(1, 100000) AS n;
INSERT INTO crm.conversations (conversation_id, customer_id, created_at, status)
SELECT 'v-' || n, 'c-' || n % 20000, now() - n * interval '1 minute',
  CASE WHEN n % 500 = 0 THEN 'open' ELSE 'resolved' END FROM generate_series(1, 100000) AS n;
INSERT INTO crm.messages (message_id, conversation_id, customer_id, text, received_at)
SELECT gen_random_uuid(), 'v-' || n % 100000, 'c-' || n % 20000, 'Where is my order?', now() - n * interval '1 minute'
FROM generate_series(1, 200000) AS n;
INSERT INTO sales.orders (order_id, customer_id, status, total, currency, items, created_at)
SELECT 'o-' || n, 'c-' || n % 20000, CASE WHEN n % 500 = 0 THEN 'cancelled' ELSE 'delivered' END, 287.9, 'EUR',
  '[{"sku": "kettle", "price": 249.9, "count": 1}]', now() - n * interval '20 seconds'
FROM generate_series(1, 200000) AS n;
INSERT INTO affiliates.affiliates (affiliate_id, rate) SELECT 'c-' || n, 10 FROM generate_series(1, 500) AS n;
INSERT INTO affiliates.commissions (commission_id, order_id, affiliate_id, rate, amount, currency, status, created_at)
SELECT gen_random_uuid(), 'o-' || n, 'c-' || 1 + n % 500, 10, 28.79, 'EUR',
  CASE WHEN n % 500 = 0 THEN 'calculated' ELSE 'paid' END, now() - n * interval '1 minute'
FROM generate_series(1, 50000) AS n;
