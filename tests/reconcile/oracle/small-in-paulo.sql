-- A paid order of at most 50, not in dollars, in a city whose name ends with paulo: tag.
SELECT source, id, v AS verdicts, v[1] AND v[2] AND v[3] AS met, 'success' AS status, ARRAY['success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'small-in-paulo')
  ) AS effects
FROM (
  SELECT *, ARRAY[
    sure(right(str(d #> '{customer,city}'), 5) = 'paulo'), sure(num(d #> '{order,total}') <= 50),
    NOT sure(str(d #> '{order,currency}') = 'USD')
  ] AS v
  FROM events WHERE type = 'order.paid'
) AS e
