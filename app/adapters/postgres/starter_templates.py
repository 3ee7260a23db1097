"""Puts the built-in templates into the gallery."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
import psycopg
from psycopg.types.json import Jsonb

from app.adapters.postgres.acting import act_as
from app.adapters.postgres.database_roles import DatabaseRole
from app.domain.errors import SettingsError
from schemas.placeholder import Placeholder

_MAY_ADD_USERS: Final = "SELECT has_table_privilege('auth.users', 'INSERT')"
_ADD_USER: Final = "INSERT INTO auth.users (id) VALUES (%s) ON CONFLICT (id) DO NOTHING"
# What a user has changed since (version 2 and up) stays as it is.
_STORE: Final = """
INSERT INTO automation_templates AS t (id, name, description, category, trigger_type, trigger_config, conditions,
  actions, is_public, created_by, priority, reentry, placeholders)
VALUES (%(id)s, %(name)s, %(description)s, %(category)s, %(trigger_type)s, %(trigger_config)s, %(conditions)s,
  %(actions)s, true, %(owner)s, %(priority)s, %(reentry)s, %(placeholders)s)
ON CONFLICT (id) DO UPDATE SET description = excluded.description, category = excluded.category,
  trigger_type = excluded.trigger_type, trigger_config = excluded.trigger_config, conditions = excluded.conditions,
  actions = excluded.actions, priority = excluded.priority, reentry = excluded.reentry,
  placeholders = excluded.placeholders, updated_at = now()
WHERE t.version = 1 AND
  (t.description, t.category, t.trigger_type, t.trigger_config, t.conditions, t.actions, t.priority, t.reentry,
  t.placeholders)
  IS DISTINCT FROM (excluded.description, excluded.category, excluded.trigger_type, excluded.trigger_config,
  excluded.conditions, excluded.actions, excluded.priority, excluded.reentry, excluded.placeholders)
"""


def store_starters(database_url: str, drafts: Mapping[UUID, dict[str, Any]], owner: UUID) -> int:
    """Store templates that are missing or out of date; returns how many those were.

    Args:
        database_url: Any libpq connection string.
        drafts: Drafts by id.
        owner: The user they belong to, who is entered as one where we may.

    Raises:
        SettingsError: The owner is no user, and users are made elsewhere.
        psycopg.Error: Postgres refused or does not answer.
    """
    with psycopg.connect(database_url, application_name="headrace templates", connect_timeout=10) as connection:
        connection.execute(act_as(DatabaseRole.SERVICE).encode())
        if (connection.execute(_MAY_ADD_USERS).fetchone() or (False,))[0]:
            connection.execute(_ADD_USER, (owner,))
        try:
            rows = [_row(template_id, draft, owner) for template_id, draft in drafts.items()]
            return sum(connection.execute(_STORE, row).rowcount for row in rows)
        except psycopg.errors.ForeignKeyViolation:
            raise SettingsError(f"auth.users has no user {owner}; name one of yours with --owner") from None


def _row(template_id: UUID, draft: dict[str, Any], owner: UUID) -> dict[str, Any]:
    actions: Sequence[dict[str, Any]] = [{"config": {}, "conditions": [], **action} for action in draft["actions"]]
    reentry = draft.get("reentry", "always")
    return {
        "id": template_id,
        "name": draft["name"],
        "description": draft["description"],
        "category": draft["category"],
        "trigger_type": draft["trigger"]["type"],
        "trigger_config": Jsonb(draft["trigger"].get("config", {})),
        "conditions": Jsonb(draft.get("conditions", [])),
        "actions": Jsonb(actions),
        "owner": owner,
        "priority": draft.get("priority", 5),
        "reentry": reentry if isinstance(reentry, str) else orjson.dumps(reentry).decode(),
        "placeholders": Jsonb([Placeholder.model_validate(one).stored() for one in draft.get("placeholders", [])]),
    }
