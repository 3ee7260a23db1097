-- The raw events, and how a field is read off them. Nothing here knows the product or its workflows' definitions.
CREATE TABLE raw_events (line bigint GENERATED ALWAYS AS IDENTITY, event jsonb NOT NULL);

-- The same (source, id) is the same event, however often it comes.
CREATE MATERIALIZED VIEW events AS
SELECT DISTINCT ON (event ->> 'source', event ->> 'id')
  event ->> 'source' AS source, event ->> 'id' AS id, event ->> 'type' AS type, event, event -> 'data' AS d
FROM raw_events ORDER BY event ->> 'source', event ->> 'id', line
WITH NO DATA;

-- A number, or a string that is a plain decimal literal; else NULL.
CREATE FUNCTION num(j jsonb) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN jsonb_typeof(j) = 'number' THEN (j #>> '{}')::numeric
    WHEN jsonb_typeof(j) = 'string' AND j #>> '{}' ~ '^-?[0-9]+(\.[0-9]+)?$' THEN (j #>> '{}')::numeric
  END
$$;

-- A string; else NULL.
CREATE FUNCTION str(j jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN jsonb_typeof(j) = 'string' THEN j #>> '{}' END
$$;

-- Whether an array holds a string.
CREATE FUNCTION holds(j jsonb, wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_typeof(j) = 'array' AND j @> jsonb_build_array(wanted)
$$;

-- Unknown is not met.
CREATE FUNCTION sure(b boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(b, false) $$;
