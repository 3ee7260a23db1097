-- A delivery more than three days late: a task and an appointment.
SELECT source, id, v AS verdicts, v[1] AS met, 'success' AS status, ARRAY['success', 'success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'task', 'customer', d #>> '{customer,id}',
      'text', format('Call about %s', d #>> '{order,id}'), 'description', d #>> '{customer,city}', 'assignee', 'care'),
    jsonb_build_object('step', 1, 'kind', 'appointment', 'customer', d #>> '{customer,id}',
      'text', format('Call %s', d #>> '{customer,id}'), 'starts_at', '2035-01-02T10:00:00+00:00', 'assignee', 'care')
  ) AS effects
FROM (
  SELECT *, ARRAY[sure(num(d #> '{order,days_late}') > 3)] AS v FROM events WHERE type = 'order.delivered'
) AS e
