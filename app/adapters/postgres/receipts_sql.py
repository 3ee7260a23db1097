"""The statements of the receipts: one round trip for a batch of any size.

States: 0 free, 1 claimed, 2 done. Rows are locked in the order of their ids, so that two batches cannot wait for each
other in a circle. The parameters of ``CLAIM`` and ``LOOK`` begin with the columns of a batch, as arrays.

A plan that was made while the tables were empty is kept until the next ANALYZE. So rows are looked up by the primary
key in ways that leave no choice: ``= ANY``, and subqueries for one row that OFFSET keeps apart. A join could also begin
with all rows of the table, which looks as cheap where there seem to be none.
"""

from typing import Final

# `live`: this process is its instance's newest incarnation. The first step's claim fixes version and executed_at;
# a higher attempt takes the execution over; the first writer's executed_at stays.
BATCH_AND_KEYS: Final = """
WITH batch AS MATERIALIZED (
  SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::timestamptz[], %s::bool[], %s::int[])
    WITH ORDINALITY AS b (command_id, execution_id, version, attempt, matched_at, first, parked, position)
), me AS MATERIALIZED (
  SELECT count(*) = 1 AS live FROM instances WHERE instance = %s AND incarnation = %s
), keys AS (
  INSERT INTO execution_keys AS known (execution_id, version, executed_at, attempt)
  SELECT DISTINCT ON (execution_id) execution_id, version, matched_at, attempt
  FROM batch, me WHERE first AND live ORDER BY execution_id, attempt DESC, position
  ON CONFLICT (execution_id) DO UPDATE SET
    version = CASE WHEN excluded.attempt > known.attempt THEN excluded.version ELSE known.version END,
    attempt = greatest(known.attempt, excluded.attempt)
  RETURNING execution_id, version, executed_at, attempt
)
"""

# A batch and its keys are as long as each other: joined in loops they cost their product, and hash joins are off. What
# is asked with IN where no join can come of it is hashed, whatever is on. So that is how a claim and its key are held
# against each other; only a key that is not as asked (another attempt, a copy of an event) is looked for.
_OTHERS: Final = """
LEFT JOIN LATERAL (
  SELECT version, attempt, executed_at FROM keys WHERE execution_id = b.execution_id AND b.first
    AND (b.execution_id, b.version, b.attempt, b.matched_at) NOT IN (
      SELECT execution_id, version, attempt, executed_at FROM keys)
  OFFSET 0
) k ON true
"""

_CLAIM_REST: Final = """
, taken AS (
  INSERT INTO receipts AS r (command_id, execution_id, state, instance, incarnation, lease_until, parked)
  SELECT command_id, execution_id, 1, %s, %s, now() + %s::interval, parked
  FROM batch, me
  WHERE live AND (NOT first OR (execution_id, version, attempt) IN (SELECT execution_id, version, attempt FROM keys))
  ORDER BY command_id
  ON CONFLICT (command_id) DO UPDATE SET
    state = 1, instance = excluded.instance, incarnation = excluded.incarnation, lease_until = excluded.lease_until,
    parked = excluded.parked,
    uncertain = r.uncertain OR (r.state = 1 AND NOT (
      r.instance = excluded.instance AND r.incarnation = excluded.incarnation AND r.lease_until >= now()))
  WHERE r.state <> 2 AND r.parked <= excluded.parked AND (
    r.state = 0 OR r.lease_until < now()
    OR (r.instance = excluded.instance AND r.incarnation <= excluded.incarnation))
  RETURNING r.command_id, r.uncertain
)
SELECT b.position, me.live, coalesce(k.version, b.version), coalesce(k.attempt, b.attempt),
  coalesce(k.executed_at, b.matched_at), CASE
    WHEN b.command_id IN (SELECT command_id FROM taken WHERE NOT uncertain) THEN false
    WHEN b.command_id IN (SELECT command_id FROM taken WHERE uncertain) THEN true END
FROM batch b CROSS JOIN me
"""
CLAIM: Final = BATCH_AND_KEYS + _CLAIM_REST + _OTHERS

# The same where no execution has a key yet, and no command a receipt; it fails where one has. Nearly always none has,
# and to insert a row that may be there already costs more. Keys come before receipts, as above.
CLAIM_NEW: Final = """
WITH batch AS MATERIALIZED (
  SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::timestamptz[], %s::bool[], %s::int[])
    AS b (command_id, execution_id, version, attempt, matched_at, first, parked)
), me AS MATERIALIZED (
  SELECT count(*) = 1 AS live FROM instances WHERE instance = %s AND incarnation = %s
), keys AS (
  INSERT INTO execution_keys (execution_id, version, executed_at, attempt)
  SELECT execution_id, version, matched_at, attempt FROM batch, me WHERE first AND live ORDER BY execution_id
  RETURNING 1
), taken AS (
  INSERT INTO receipts (command_id, execution_id, state, instance, incarnation, lease_until, parked)
  SELECT command_id, execution_id, 1, %s, %s, now() + %s::interval, parked
  FROM batch, me WHERE live AND (SELECT count(*) FROM keys) >= 0 ORDER BY command_id
)
SELECT live FROM me
"""

# What stands in the way of a claim that was not granted.
OBSTACLES: Final = """
SELECT command_id, state, parked, extract(epoch FROM lease_until - now())::float8, result
FROM receipts WHERE command_id = ANY(%s::uuid[])
"""

_LOOK_REST: Final = """
SELECT b.position, me.live, coalesce(k.version, b.version), coalesce(k.attempt, b.attempt),
  coalesce(k.executed_at, b.matched_at), r.state, r.parked, r.result
FROM batch b CROSS JOIN me
LEFT JOIN LATERAL (SELECT state, parked, result FROM receipts WHERE command_id = b.command_id OFFSET 0) r ON true
"""
LOOK: Final = BATCH_AND_KEYS + _LOOK_REST + _OTHERS

# Fails where a receipt is there already: cheap, because nearly always there is no receipt yet.
STORE_NEW: Final = """
INSERT INTO receipts AS r (command_id, execution_id, state, instance, incarnation, parked, result)
SELECT command_id, execution_id, 2, %s, %s, parked, result
FROM ROWS FROM (unnest(%s::uuid[], %s::uuid[], %s::int[]), jsonb_array_elements(%s::jsonb))
  AS b (command_id, execution_id, parked, result)
ORDER BY command_id
"""
_STORE_REST: Final = """
ON CONFLICT (command_id) DO UPDATE SET state = 2, instance = excluded.instance, incarnation = excluded.incarnation,
  lease_until = NULL, parked = excluded.parked, result = excluded.result
WHERE r.state <> 2
"""
STORE: Final = STORE_NEW + _STORE_REST

# A row's place in the batch is looked up by halving: ids come sorted, as Postgres sorts them.
FINISH: Final = """
UPDATE receipts SET state = 2, lease_until = NULL,
  result = %(results)s::jsonb -> (width_bucket(command_id, %(ids)s::uuid[]) - 1)
WHERE command_id = ANY(%(ids)s::uuid[]) AND state = 1 AND instance = %(instance)s AND incarnation = %(incarnation)s
RETURNING command_id
"""
STORED: Final = "SELECT command_id, result FROM receipts WHERE command_id = ANY(%s::uuid[]) AND state = 2"

RELEASE: Final = """
UPDATE receipts SET state = 0, lease_until = NULL, uncertain = uncertain OR %s
WHERE command_id = ANY(%s::uuid[]) AND state = 1 AND instance = %s AND incarnation = %s
"""

PARK: Final = """
UPDATE receipts SET state = 0, lease_until = NULL,
  parked = (%(parked)s::int[])[width_bucket(command_id, %(ids)s::uuid[])],
  uncertain = uncertain OR (%(uncertain)s::bool[])[width_bucket(command_id, %(ids)s::uuid[])]
WHERE command_id = ANY(%(ids)s::uuid[]) AND state = 1 AND instance = %(instance)s AND incarnation = %(incarnation)s
RETURNING command_id
"""

# Of two that start at once the one with the higher number is the newest, in either order of arrival.
INCARNATE: Final = """
INSERT INTO instances AS known (instance, incarnation) VALUES (%s, nextval('incarnations'))
ON CONFLICT (instance) DO UPDATE SET incarnation = excluded.incarnation, started_at = now()
WHERE known.incarnation < excluded.incarnation
RETURNING incarnation
"""
