-- A review of 1 or 2 stars: webhook, note where there is text, tag.
SELECT source, id, v AS verdicts, v[1] AND v[2] AS met, 'success' AS status,
  ARRAY['success', CASE WHEN has_text THEN 'success' ELSE 'skipped' END, 'success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'webhook', 'body', jsonb_build_object(
      'message', d #>> '{message,id}', 'score', d #>> '{message,score}')),
    jsonb_build_object('step', 2, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'unhappy')
  ) || CASE WHEN has_text THEN jsonb_build_array(
    jsonb_build_object('step', 1, 'kind', 'note', 'customer', d #>> '{customer,id}', 'text', format(
      '%s of 5: %s', d #>> '{message,score}', d #>> '{message,text}'))
  ) ELSE '[]' END AS effects
FROM (
  SELECT *, d #>> '{message,text}' IS NOT NULL AS has_text,
    ARRAY[sure(num(d #> '{message,score}') <= 2), sure(str(d #> '{message,channel}') = 'review')] AS v
  FROM events WHERE type = 'message.received'
) AS e
