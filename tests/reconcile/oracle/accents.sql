-- A message with "não" in it and no "recomendo": webhook with the text unchanged.
SELECT source, id, v AS verdicts, v[1] AND v[2] AS met, 'success' AS status, ARRAY['success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'webhook', 'body', jsonb_build_object(
      'text', d #>> '{message,text}', 'score', d #>> '{message,score}'))
  ) AS effects
FROM (
  SELECT *, ARRAY[
    sure(strpos(str(d #> '{message,text}'), 'não') > 0), NOT sure(strpos(str(d #> '{message,text}'), 'recomendo') > 0)
  ] AS v
  FROM events WHERE type = 'message.received'
) AS e
