-- Every cancelled order: webhook with the event as it is, note, tag.
SELECT source, id, '{}'::boolean[] AS verdicts, true AS met, 'success' AS status,
  ARRAY['success', 'success', 'success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'webhook', 'body', jsonb_build_object('event', event)),
    jsonb_build_object('step', 1, 'kind', 'note', 'customer', d #>> '{customer,id}', 'text',
      format('Order %s was cancelled', d #>> '{order,id}')),
    jsonb_build_object('step', 2, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'cancelled')
  ) AS effects
FROM events WHERE type = 'order.cancelled'
