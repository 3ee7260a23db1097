-- A zip code, kept as text, from 1000 to below 20000: tag.
SELECT source, id, v AS verdicts, v[1] AND v[2] AS met, 'success' AS status, ARRAY['success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'tag', 'customer', d #>> '{customer,id}', 'tag', 'zip-below-20000')
  ) AS effects
FROM (
  SELECT *, ARRAY[
    sure(num(d #> '{customer,zip_prefix}') < 20000), sure(num(d #> '{customer,zip_prefix}') >= 1000)
  ] AS v
  FROM events WHERE type = 'customer.created'
) AS e
