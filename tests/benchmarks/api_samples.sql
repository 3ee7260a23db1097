-- Events, verdicts and results of the log's rows, with the sizes of an order with three lines, two conditions and two
-- actions.
CREATE TABLE IF NOT EXISTS bench.samples (number bigint PRIMARY KEY, event jsonb NOT NULL, verdicts jsonb NOT NULL,
  results jsonb NOT NULL, failed jsonb NOT NULL);
INSERT INTO bench.samples
SELECT n, jsonb_build_object('specversion', '1.0', 'id', 'evt-' || n, 'source', '/shop', 'type', 'order.paid',
    'time', now(), 'subject', 'c-' || n, 'data', jsonb_build_object(
      'order', jsonb_build_object('id', 'o-' || n, 'total', n, 'currency', 'EUR', 'items', jsonb_build_array(
        jsonb_build_object('sku', 'kettle-' || n, 'price', 249.9, 'count', 1),
        jsonb_build_object('sku', 'cup-' || n, 'price', 9.5, 'count', 4),
        jsonb_build_object('sku', 'tea-' || n, 'price', 4.25, 'count', 12))),
      'customer', jsonb_build_object('id', 'c-' || n, 'email', 'c-' || n || '@example.com', 'name', 'Customer ' || n,
        'tags', '["newsletter", "2026"]'::jsonb, 'city', 'Recife'))),
  jsonb_build_array(
    jsonb_build_object('path', 'conditions[0]', 'field', 'order.total', 'operator', '>', 'value', 100, 'actual', n,
      'met', true),
    jsonb_build_object('path', 'conditions[1]', 'field', 'customer.city', 'operator', 'in', 'value',
      '["Recife", "Olinda"]'::jsonb, 'actual', 'Recife', 'met', true)),
  jsonb_build_array(done, jsonb_set(done, '{step}', '1')), jsonb_build_array(done, done || '{"status": "failed"}')
FROM generate_series(0, 999) AS n, LATERAL jsonb_build_object('step', 0, 'action_type', 'webhook', 'status', 'success',
  'output', jsonb_build_object('status', 200, 'bytes', n), 'attempts', 1, 'executed_at', now(), 'duration_ms', 12,
  'verdicts', '[]'::jsonb) AS done
ON CONFLICT DO NOTHING;
