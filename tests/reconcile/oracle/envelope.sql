-- From the CRM, since June 2017, for a subject that starts with a: e-mail.
SELECT source, id, v AS verdicts, v[1] AND v[2] AND v[3] AS met, 'success' AS status, ARRAY['success'] AS statuses,
  jsonb_build_array(
    jsonb_build_object('step', 0, 'kind', 'email', 'to', (d #>> '{customer,id}') || '@customers.example',
      'subject', format('Bem-vindo a %s', d #>> '{customer,city}'),
      'text', format('Welcome, %s.', d #>> '{customer,id}'))
  ) AS effects
FROM (
  SELECT *, ARRAY[
    event ->> 'source' = '/crm', sure((event ->> 'time')::timestamptz >= '2017-06-01T00:00:00Z'),
    sure(starts_with(str(event -> 'subject'), 'a'))
  ] AS v
  FROM events WHERE type = 'customer.created'
) AS e
