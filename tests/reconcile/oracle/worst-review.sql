-- A review of one star: its conversation is given to somebody.
SELECT source, id, v AS verdicts, v[1] AS met, 'success' AS status, ARRAY['success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'conversation', 'customer', d #>> '{customer,id}',
      'conversation', 'review-' || (d #>> '{message,id}'), 'assignee', 'care')
  ) AS effects
FROM (
  SELECT *, ARRAY[sure(num(d #> '{message,score}') = 1)] AS v FROM events WHERE type = 'message.received'
) AS e
