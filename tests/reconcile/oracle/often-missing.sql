-- A second item of 50 or more; or a first item without category (or none at all) in a single payment: note.
SELECT source, id, v AS verdicts, v[1] OR (v[2] AND v[3]) AS met, 'success' AS status, ARRAY['success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'note', 'customer', d #>> '{customer,id}', 'text',
      format('Look at order %s', d #>> '{order,id}'))
  ) AS effects
FROM (
  SELECT *, ARRAY[
    sure(num(d #> '{order,items,1,price}') >= 50), d #>> '{order,items,0,category}' IS NULL,
    sure(num(d #> '{order,payment,installments}') < 2)
  ] AS v
  FROM events WHERE type = 'order.created'
) AS e
