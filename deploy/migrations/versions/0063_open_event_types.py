"""Let a workflow await any dotted event type; of temporal.* only those that our scheduler makes."""

from typing import Final

from alembic import op

revision = "0063"
down_revision = "0062"

_WRONG: Final = r"""
CREATE OR REPLACE FUNCTION headrace_wrong_in_workflow(
  name text, description text, trigger_type text, trigger_config jsonb, conditions jsonb, actions jsonb
) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN name !~ '\S' THEN 'name: is empty'
    WHEN char_length(description) > 10000 THEN 'description: has more than 10000 characters'
    WHEN trigger_type !~ '^[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*(\.[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*)+$'
      OR (trigger_type ~* '^temporal\.' AND trigger_type <> ALL (ARRAY['temporal.daily', 'temporal.weekly',
        'temporal.monthly'])) THEN 'trigger_type: is no event type'
    WHEN jsonb_typeof(trigger_config) <> 'object' THEN 'trigger_config: is no object'
    WHEN jsonb_path_exists(trigger_config, 'strict $.**{100}') THEN 'trigger_config: is nested too deeply'
    WHEN jsonb_typeof(conditions) <> 'array' THEN 'conditions: is no array'
    WHEN jsonb_array_length(conditions) > 100 THEN 'conditions: are more than 100'
    WHEN jsonb_path_exists(conditions, 'strict $[*] ? (@.type() <> "object")') THEN 'conditions: one is no object'
    WHEN jsonb_path_exists(conditions, 'strict $.**{100}') THEN 'conditions: are nested too deeply'
    WHEN jsonb_typeof(actions) <> 'array' THEN 'actions: is no array'
    WHEN jsonb_array_length(actions) > 50 THEN 'actions: are more than 50'
    WHEN jsonb_path_exists(actions, 'strict $.**{100}') THEN 'actions: are nested too deeply'
    WHEN jsonb_path_exists(actions, 'strict $[*] ? (@.type() <> "object")') THEN 'actions: one is no object'
    WHEN jsonb_path_exists(actions, 'lax $[*] ? (!(
      @."type".type() == "string" && @."type" like_regex "^.{1,100}$" flag "s"
      && @."order".type() == "number" && @."order" >= 0 && @."order" <= 1000000 && @."order".floor() == @."order"
      && (!exists(@."config") || @."config".type() == "object")
      && (!exists(@."conditions") || @."conditions".type() == "array" && @."conditions".size() <= 100
        && !exists(@."conditions"[*] ? (@.type() <> "object")))
      && (!exists(@."on_error") || @."on_error" == "stop" || @."on_error" == "continue" || @."on_error" == null)
      && !exists(@.keyvalue() ? (!(@."key" == "type" || @."key" == "order" || @."key" == "config"
        || @."key" == "conditions" || @."key" == "on_error")))
      ))') THEN 'actions: one is no {type, order, config, conditions, on_error}'
  END
$$;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_WRONG)
