-- A cancelled order paid by slip: note of the first item, which fails without one; tag where it did not; webhook.
SELECT source, id, v AS verdicts, v[1] AS met,
  CASE WHEN item IS NULL THEN 'partial' ELSE 'success' END AS status,
  CASE WHEN item IS NULL THEN ARRAY['failed', 'skipped', 'success']
       ELSE ARRAY['success', 'success', 'success'] END AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 2, 'kind', 'webhook', 'body', jsonb_build_object('order', d #>> '{order,id}'))
  ) || CASE WHEN item IS NULL THEN '[]' ELSE jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'note', 'customer', d #>> '{customer,id}', 'text', 'First item: ' || item),
    jsonb_build_object('step', 1, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'cancelled-with-item')
  ) END AS effects
FROM (
  SELECT *, d #>> '{order,items,0,product_id}' AS item,
    ARRAY[sure(holds(d #> '{order,payment,types}', 'boleto'))] AS v
  FROM events WHERE type = 'order.cancelled'
) AS e
