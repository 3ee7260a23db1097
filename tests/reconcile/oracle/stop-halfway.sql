-- A paid order over 100: webhook; stops there for SP; else tag and note.
SELECT source, id, v AS verdicts, v[1] AS met,
  CASE WHEN sp THEN 'stopped' ELSE 'success' END AS status,
  CASE WHEN sp THEN ARRAY['success', 'success', 'skipped', 'skipped']
       ELSE ARRAY['success', 'skipped', 'success', 'success'] END AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'webhook', 'body', jsonb_build_object('order', d #>> '{order,id}'))
  ) || CASE WHEN sp THEN '[]' ELSE jsonb_build_array(
    jsonb_build_object('step', 2, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'not-stopped'),
    jsonb_build_object('step', 3, 'kind', 'note', 'customer', d #>> '{customer,id}', 'text',
      format('Order %s went all the way', d #>> '{order,id}'))
  ) END AS effects
FROM (
  SELECT *, sure(str(d #> '{customer,state}') = 'SP') AS sp, ARRAY[sure(num(d #> '{order,total}') > 100)] AS v
  FROM events WHERE type = 'order.paid'
) AS e
