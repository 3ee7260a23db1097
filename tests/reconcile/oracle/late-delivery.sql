-- A delivery that came late: tag, note, e-mail.
SELECT source, id, v AS verdicts, v[1] AS met, 'success' AS status,
  ARRAY['success', 'success', 'success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'late-delivery'),
    jsonb_build_object('step', 1, 'kind', 'note', 'customer', d #>> '{customer,id}', 'text', format(
      'Order %s came %s days late to %s', d #>> '{order,id}', d #>> '{order,days_late}', d #>> '{customer,city}')),
    jsonb_build_object('step', 2, 'kind', 'email', 'to', (d #>> '{customer,id}') || '@customers.example',
      'subject', format('Sorry: %s days late', d #>> '{order,days_late}'),
      'text', format(E'Olá %s,\n\norder %s was late.', d #>> '{customer,city}', d #>> '{order,id}'))
  ) AS effects
FROM (
  SELECT *, ARRAY[sure(num(d #> '{order,days_late}') > 0)] AS v FROM events WHERE type = 'order.delivered'
) AS e
