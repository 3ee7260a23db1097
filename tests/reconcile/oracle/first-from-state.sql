-- The first order of somebody in a remote state: webhook, tag with the state's name.
SELECT source, id, v AS verdicts, v[1] AND v[2] AS met, 'success' AS status,
  ARRAY['success', 'success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'webhook', 'body', jsonb_build_object(
      'state', d #>> '{customer,state}', 'city', d #>> '{customer,city}')),
    jsonb_build_object('step', 1, 'kind', 'tag', 'customer', d #>> '{customer,id}',
      'tag', 'first-' || (d #>> '{customer,state}'))
  ) AS effects
FROM (
  SELECT *, ARRAY[
    sure(num(d #> '{customer,orders}') = 1), sure(str(d #> '{customer,state}') IN ('AC', 'RR', 'AP', 'AM', 'RO'))
  ] AS v
  FROM events WHERE type = 'order.created'
) AS e
