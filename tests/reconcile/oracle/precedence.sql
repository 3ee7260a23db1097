-- Over 5 days late, or (over 300 and in RJ), or in the city of São Paulo: tag, e-mail.
SELECT source, id, v AS verdicts, v[1] OR (v[2] AND v[3]) OR v[4] AS met, 'success' AS status,
  ARRAY['success', 'success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'precedence'),
    jsonb_build_object('step', 1, 'kind', 'email', 'to', (d #>> '{customer,id}') || '@customers.example',
      'subject', format('About order %s', d #>> '{order,id}'), 'text', format('Total: %s', d #>> '{order,total}'))
  ) AS effects
FROM (
  SELECT *, ARRAY[
    sure(num(d #> '{order,days_late}') > 5), sure(num(d #> '{order,total}') > 300),
    sure(str(d #> '{customer,state}') = 'RJ'), sure(str(d #> '{customer,city}') = 'sao paulo')
  ] AS v
  FROM events WHERE type = 'order.delivered'
) AS e
