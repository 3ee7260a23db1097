-- (Total of 200 or more in SP, or neither by credit card nor in instalments), and the status is not cancelled: tag.
-- The log gives each group's verdict after its members'.
SELECT source, id,
  ARRAY[big, sp, big AND sp, card, many, card OR many, NOT (card OR many), (big AND sp) OR NOT (card OR many), alive]
    AS verdicts,
  ((big AND sp) OR NOT (card OR many)) AND alive AS met, 'success' AS status, ARRAY['success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'nested')
  ) AS effects
FROM (
  SELECT *, sure(num(d #> '{order,total}') >= 200) AS big, sure(str(d #> '{customer,state}') = 'SP') AS sp,
    sure(holds(d #> '{order,payment,types}', 'credit_card')) AS card,
    sure(num(d #> '{order,payment,installments}') > 1) AS many,
    NOT sure(str(d #> '{order,status}') = 'cancelled') AS alive
  FROM events WHERE type = 'order.created'
) AS e
