-- A paid order over 1000: a text message, a WhatsApp message, and one in an inbox.
SELECT source, id, v AS verdicts, v[1] AS met, 'success' AS status,
  ARRAY['success', 'success', 'success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'message', 'provider', 'twilio', 'text', 'Paid: ' || (d #>> '{order,id}')),
    jsonb_build_object('step', 1, 'kind', 'message', 'provider', 'whatsapp', 'text', 'Paid: ' || (d #>> '{order,id}')),
    jsonb_build_object('step', 2, 'kind', 'notification', 'title', 'Order ' || (d #>> '{order,id}'),
      'text', d #>> '{order,total}')
  ) AS effects
FROM (
  SELECT *, ARRAY[sure(num(d #> '{order,total}') > 1000)] AS v FROM events WHERE type = 'order.paid'
) AS e
