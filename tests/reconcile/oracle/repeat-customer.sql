-- Ordered or paid before: tag.
SELECT source, id, v AS verdicts, v[1] OR v[2] AS met, 'success' AS status, ARRAY['success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'repeat-customer')
  ) AS effects
FROM (
  SELECT *, ARRAY[sure(num(d #> '{customer,orders}') > 1), sure(num(d #> '{customer,ltv}') > 0)] AS v
  FROM events WHERE type = 'order.created'
) AS e
