"""Straight at the database: as a user with SQL access and claims of their own, and as each role's own login."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from app.adapters.postgres.database_roles import DatabaseRole
from app.topics import WORKFLOWS
from tests.attack.ground import Ground
from tests.attack.report import Check
from tests.integration.postgres.test_direct_sql import USERS_MAY_NOT
from tests.integration.postgres.test_role_logins import MAY_NOT, NOBODY_MAY, denied, login
from tests.integration.postgres.users import become

_REFUSED: Final = (psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException, psycopg.errors.CheckViolation)
_OUTBOX: Final = "INSERT INTO outbox (topic, key, value) VALUES (%s, %s, 'x')"
_REVISION: Final = "INSERT INTO automation_revisions VALUES (%s, 99, %s, now(), %s)"
_OTHERS: Final = (
    "SELECT 1 FROM automations WHERE created_by <> auth.uid()",
    "UPDATE automations SET name = 'mine' WHERE created_by <> auth.uid() RETURNING 1",
    "UPDATE automations SET created_by = auth.uid() WHERE created_by <> auth.uid() RETURNING 1",
    "SELECT 1 FROM automation_revisions r WHERE created_by <> auth.uid()",
    "SELECT 1 FROM automation_logs",
    "SELECT 1 FROM automation_templates WHERE created_by <> auth.uid() AND NOT is_public",
    "UPDATE automation_templates SET is_public = true WHERE created_by <> auth.uid() RETURNING 1",
    "SELECT 1 FROM message_templates WHERE created_by <> auth.uid()",
    "SELECT 1 FROM notifications",
    "SELECT 1 FROM secrets",
    "SELECT 1 FROM api_keys",
)


async def nothing_is_reached_by_sql(ground: Ground) -> list[Check]:
    """Everything that nobody may, statement by statement, each in a transaction of its own."""
    victim = await ground.workflow(f"custom.d{uuid4().hex[:8]}", {"type": "stop_workflow", "config": {}})
    with psycopg.connect(ground.stack.database_url) as connection:
        return [_as_user(connection, victim), *(_as_role(ground, role) for role in MAY_NOT)]


def _as_user(connection: psycopg.Connection[Any], victim: UUID) -> Check:
    check, user = Check("SQL with a user's claims"), uuid4()
    for topic in (WORKFLOWS, "actions.send_email", "executions", "dead-letters", "matcher-workflows-changelog"):
        _try(check, connection, user, _OUTBOX, (topic, str(victim).encode()))
    _try(check, connection, user, _REVISION, (victim, Jsonb({"owner": str(user)}), user))
    for statement in USERS_MAY_NOT:
        _try(check, connection, user, statement)
    for statement in _OTHERS:
        _try(check, connection, user, statement)
    return check


def _try(
    check: Check, connection: psycopg.Connection[Any], user: UUID, statement: str, values: Sequence[Any] | None = None
) -> None:
    """Held where the database refuses, or there is nothing to see or change."""
    become(connection, user)
    try:
        cursor = connection.execute(statement.encode(), values)
        held = statement in _OTHERS and not cursor.fetchall()
    except _REFUSED:
        held = True
    check.note(statement[:120], held=held)


def _as_role(ground: Ground, role: DatabaseRole) -> Check:
    check = Check(f"SQL as the login of {role}")
    with login(ground.stack.database_url, role) as connection:
        for statement in (*MAY_NOT[role], *NOBODY_MAY):
            check.note(statement[:120], held=denied(connection, statement))
    return check
