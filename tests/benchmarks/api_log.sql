-- Rows of the log, evenly over a span of time: few workflows have most of them, and few customers; one workflow fails
-- often. What happened is one of 1,000 samples: it is as large as it is, and no list looks into it.
INSERT INTO {table} (id, automation_id, trigger_event, conditions_met, conditions_result, actions_executed,
  status, error_message, execution_duration_ms, executed_at, attempt, version, event_id, event_type, entity)
SELECT gen_random_uuid(), bench.workflow(w), s.event, status NOT IN ('skipped', 'blocked'), s.verdicts,
  CASE WHEN status IN ('skipped', 'blocked') THEN '[]' WHEN status IN ('failed', 'partial') THEN s.failed
    ELSE s.results END,
  status,
  CASE WHEN status IN ('failed', 'partial', 'timed_out') THEN CASE
    WHEN n %% 1000 = 0 THEN 'connection refused by 10.0.0.' || n %% 250
    WHEN n %% 3 = 0 THEN 'POST https://hooks.example.com/orders was answered 503: Service Unavailable (try ' || n || ')'
    WHEN n %% 3 = 1 THEN 'SMTP: 550 5.1.1 <' || entity || '@example.com>: no such mailbox here'
    ELSE 'no answer within 30 s from https://erp.example.com/api/v2/orders/' || n END END,
  (luck * 2000)::integer, at, CASE WHEN status IN ('skipped', 'blocked') THEN 0 ELSE 1 END, 1 + n::integer %% 3,
  event_id, kind, entity
FROM (
  SELECT n, at, luck, w, entity, 'evt-' || n / 2 AS event_id, bench.kind(w) AS kind, CASE
    WHEN w = 7 AND luck < 0.3 THEN 'failed'
    WHEN luck < 0.8 THEN 'success' WHEN luck < 0.92 THEN 'skipped' WHEN luck < 0.95 THEN 'failed'
    WHEN luck < 0.965 THEN 'partial' WHEN luck < 0.97 THEN 'timed_out' WHEN luck < 0.99 THEN 'blocked'
    ELSE 'stopped' END AS status
  FROM (
    SELECT n, random() AS luck, floor(200 * power(random(), 3))::integer AS w,
      'c-' || floor(200000 * power(random(), 2))::integer AS entity,
      %(since)s::timestamptz + (%(until)s::timestamptz - %(since)s::timestamptz) * ((n - %(first)s) / %(count)s::float8)
        AS at
    FROM generate_series(%(first)s::bigint, %(first)s::bigint + %(count)s::bigint - 1) AS n
  ) AS drawn
) AS rows JOIN bench.samples AS s ON s.number = n %% 1000
