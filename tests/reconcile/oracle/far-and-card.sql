-- Neither from SP, RJ or MG, nor paid by slip or voucher: tag. A missing field is in no list.
SELECT source, id, v AS verdicts, v[1] AND v[2] AS met, 'success' AS status, ARRAY['success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'far-and-card')
  ) AS effects
FROM (
  SELECT *, ARRAY[
    NOT sure(str(d #> '{customer,state}') IN ('SP', 'RJ', 'MG')),
    NOT (sure(holds(d #> '{order,payment,types}', 'boleto')) OR sure(holds(d #> '{order,payment,types}', 'voucher')))
  ] AS v
  FROM events WHERE type = 'order.created'
) AS e
