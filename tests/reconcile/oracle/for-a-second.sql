-- Every cancelled order: a tag that is gone in the end.
SELECT source, id, ARRAY[]::boolean[] AS verdicts, true AS met, 'success' AS status,
  ARRAY['success', 'success', 'success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 2, 'kind', 'no tag', 'customer', d #>> '{customer,id}', 'tag', 'for-a-second')
  ) AS effects
FROM events AS e WHERE type = 'order.cancelled'
