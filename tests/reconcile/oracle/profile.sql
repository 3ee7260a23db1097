-- A new customer in SP: a field of the profile.
SELECT source, id, v AS verdicts, v[1] AS met, 'success' AS status, ARRAY['success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'field', 'customer', d #>> '{customer,id}', 'field', 'greeted_as',
      'value', d #>> '{customer,id}')
  ) AS effects
FROM (
  SELECT *, ARRAY[sure(str(d #> '{customer,state}') = 'SP')] AS v FROM events WHERE type = 'customer.created'
) AS e
