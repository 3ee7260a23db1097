-- A paid order over 500 in at least 3 instalments: webhook, tag.
SELECT source, id, v AS verdicts, v[1] AND v[2] AS met, 'success' AS status,
  ARRAY['success', 'success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'webhook', 'body', jsonb_build_object(
      'order', d #>> '{order,id}', 'total', d #>> '{order,total}', 'customer', d #>> '{customer,id}')),
    jsonb_build_object('step', 1, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'big-order')
  ) AS effects
FROM (
  SELECT *, ARRAY[sure(num(d #> '{order,total}') > 500), sure(num(d #> '{order,payment,installments}') >= 3)] AS v
  FROM events WHERE type = 'order.paid'
) AS e
