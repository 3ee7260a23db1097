"""The audit trail: every table that users write is on it, whoever writes is named, and nobody changes what it says."""

from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from app.adapters.postgres.pool import Pool
from app.adapters.postgres.secret_uses import PostgresSecretUses
from app.domain.grants import Use
from app.ports import SecretUse
from app.services.access.secret_uses import noting_uses
from tests.integration.postgres.users import ADMIN, ANA, OF_ANA, become

pytestmark = pytest.mark.postgres

# Tables that the API writes for its callers, and that are not on the trail, with the reason.
OFF_THE_TRAIL: Final = {
    "affiliates.affiliates": "the example business' own data, which executors write too; the real one is elsewhere",
    "affiliates.commissions": "the example business' own data",
    "crm.appointments": "the example business' own data",
    "crm.conversations": "the example business' own data",
    "crm.customers": "the example business' own data",
    "crm.messages": "the example business' own data",
    "crm.notes": "the example business' own data",
    "crm.requests": "what makes requests repeatable; nobody edits it",
    "crm.tags": "the example business' own data",
    "crm.tasks": "the example business' own data",
    "sales.orders": "the example business' own data",
    "auth.users": "an id and nothing else, entered with a user's first row",
    "public.demo_data": "notes of what was loaded: the workflows of it are on the trail",
    "public.execution_keys": "attempts of executions: the log tells of them",
    "public.heartbeats": "processes say that they live",
    "public.notifications": "a user reads their own inbox",
    "public.outbox": "records on their way to Kafka, made of rows that are on the trail",
    "public.receipts": "executions that wait, and are cancelled: the log tells of them",
    "public.sign_in_links": "a minute's invitation: the session that it opens is on the trail",
    "public.timers": "the same",
    "public.turns": "locks",
}
_WRITTEN: Final = """
SELECT DISTINCT c.oid::regclass::text, n.nspname || '.' || c.relname,
  EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'trail' AND t.tgenabled = 'O')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, (VALUES ('authenticated'), ('headrace_api')) w (role)
WHERE c.relkind IN ('r', 'p') AND (has_table_privilege(w.role, c.oid, 'DELETE')
  OR has_any_column_privilege(w.role, c.oid, 'INSERT, UPDATE'))
"""
_TRAIL: Final = "SELECT actor, actor_kind, action, kind, object_id, name, changes FROM audit_trail ORDER BY at, id"


def test_every_table_that_users_write_is_on_the_trail(database: str) -> None:
    """By a trigger; or it stands above, with the reason why it is not."""
    with psycopg.connect(database) as connection:
        found = {name: kept for _, name, kept in connection.execute(_WRITTEN).fetchall()}
    assert {name for name, kept in found.items() if not kept} == OFF_THE_TRAIL.keys()


def test_quotas_that_change_are_on_the_trail(database: str) -> None:
    """Their `active` is a number of workflows: that the API tells the database its quotas does not fail on it."""
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE workflow_quotas SET workflows = workflows + 1, active = active + 1")
        ((_, _, action, kind, _, _, changes),) = trail(connection)
    assert (action, kind, set(changes)) == ("changed", "quotas", {"workflows", "active"})


def trail(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """What is on it, as the tables' owner sees it."""
    connection.execute("RESET ROLE")
    return connection.execute(_TRAIL).fetchall()


def forget(connection: psycopg.Connection[Any]) -> None:
    """Begin with an empty trail: as who made the table, with its triggers off."""
    connection.execute("RESET ROLE")
    for statement in ("DISABLE TRIGGER USER", "ENABLE TRIGGER USER"):
        if statement.startswith("ENABLE"):
            connection.execute("DELETE FROM audit_trail")
        connection.execute(f"ALTER TABLE audit_trail {statement}".encode())
    connection.commit()


def test_a_change_names_who_and_what(connection: psycopg.Connection[Any]) -> None:
    """By the claims, with old and new of what changed; a body is withheld; what counts and dates is no change."""
    forget(connection)
    become(connection, ANA)
    connection.execute("UPDATE automations SET name = 'y', actions = '[]'")
    connection.execute("UPDATE automations SET name = 'y'")
    connection.execute("UPDATE automations SET deleted_at = now()")
    changed, deleted = trail(connection)
    assert changed[:-1] == (ANA, "user", "changed", "workflow", str(OF_ANA), "y")
    assert changed[-1] == {"name": {"old": "x", "new": "y"}}
    assert deleted[:-1] == (ANA, "user", "deleted", "workflow", str(OF_ANA), "y")


def test_values_of_secrets_are_on_no_trail(connection: psycopg.Connection[Any]) -> None:
    """Only that they changed, by whom, and who may use them."""
    forget(connection)
    become(connection, ADMIN, role="admin")
    connection.execute("INSERT INTO secrets (name, value, updated_by) VALUES ('A', 'sealed-1', %s)", (ADMIN,))
    connection.execute("UPDATE secrets SET value = 'sealed-2', owners = '{*}'")
    connection.execute("DELETE FROM secrets WHERE name = 'A'")
    rows = trail(connection)
    assert [row[:6] for row in rows] == [
        (ADMIN, "admin", action, "secret", "A", "A") for action in ("created", "changed", "deleted")
    ]
    assert rows[1][-1] == {"value": {"withheld": "secret"}, "owners": {"old": [], "new": ["*"]}}
    assert "sealed" not in str(rows)
    assert b"sealed".hex() not in str(rows)


def test_whoever_has_no_claims_is_named_by_their_role(connection: psycopg.Connection[Any]) -> None:
    """What the workers or the operator change is on it too."""
    forget(connection)
    connection.execute("SET LOCAL ROLE headrace_service")
    connection.execute("UPDATE automations SET active = true, actions = '[{}]' WHERE id = %s", (OF_ANA,))
    (row,) = trail(connection)
    found = connection.execute("SELECT actor, actor_kind, actor_name, action FROM audit_trail").fetchall()
    assert found == [(None, "database_role", "headrace_service", "activated")], row


def test_a_key_is_named_as_one(connection: psycopg.Connection[Any]) -> None:
    """A principal that is an API key's id has the key's name beside it."""
    connection.execute(
        "INSERT INTO api_keys (id, name, digest, permissions, created_by)"
        " VALUES (%s, 'shop', sha256('k'), '{}', gen_random_uuid())",
        (OF_ANA,),
    )
    connection.commit()
    become(connection, OF_ANA)
    connection.execute("SET LOCAL ROLE headrace_api")
    connection.execute("SELECT headrace_add_to_trail('tried', 'thing', '1', NULL, NULL, '{}')")
    connection.execute("RESET ROLE")
    found = connection.execute(
        "SELECT actor, actor_kind, actor_name FROM audit_trail WHERE action = 'tried'"
    ).fetchall()
    assert found == [(OF_ANA, "api_key", "shop")]


@pytest.mark.parametrize("role", ["authenticated", "headrace_api", "headrace_service", "headrace_scheduler", None])
@pytest.mark.parametrize(
    "statement", ["UPDATE audit_trail SET name = ''", "DELETE FROM audit_trail", "TRUNCATE audit_trail"]
)
def test_nobody_changes_the_trail(connection: psycopg.Connection[Any], role: str | None, statement: str) -> None:
    """Neither an administrator with SQL, nor a worker, nor the table's owner."""
    connection.rollback()
    if role is not None:
        become(connection, ADMIN, role="admin")
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_administrators_read_it_and_nobody_else(connection: psycopg.Connection[Any]) -> None:
    """A user sees nothing of it, not even what they did."""
    become(connection, ANA)
    assert connection.execute("SELECT count(*) FROM audit_trail").fetchone() == (0,)
    become(connection, ADMIN, role="admin")
    found = connection.execute("SELECT count(*) FROM audit_trail").fetchone()
    assert found is not None
    assert found[0] > 0


def test_what_is_past_the_retention_goes_by_the_function_alone(connection: psycopg.Connection[Any]) -> None:
    """In batches; never what is younger than 30 days, whatever it is told."""
    forget(connection)
    connection.execute(
        "INSERT INTO audit_trail (at, actor_kind, action, kind, object_id)"
        " SELECT now() - make_interval(days => n, hours => 1), 'user', 'changed', 'workflow', n::text"
        " FROM generate_series(20, 49) n"
    )
    connection.execute("SET LOCAL ROLE headrace_scheduler")
    assert connection.execute("SELECT headrace_shorten_trail(40, 7)").fetchone() == (7,)
    assert connection.execute("SELECT headrace_shorten_trail(40, 7)").fetchone() == (3,)
    assert connection.execute("SELECT headrace_shorten_trail(1, 100)").fetchone() == (10,)
    connection.execute("RESET ROLE")
    assert connection.execute("SELECT min(object_id), max(object_id) FROM audit_trail").fetchone() == ("20", "29")


def test_a_use_of_a_secret_is_noted_once_an_hour(connection: psycopg.Connection[Any]) -> None:
    """By secret, workflow and owner: however often executors say so, and however many of them."""
    forget(connection)
    other = UUID(int=7)
    for _ in range(3):
        connection.execute("SET LOCAL ROLE headrace_executor")
        connection.execute("SELECT headrace_note_secret_uses(%s, %s, %s)", (["A", "A"], [OF_ANA, other], [ANA, ANA]))
    rows = trail(connection)
    assert sorted(row[:6] for row in rows) == [(ANA, "user", "used", "secret", "A", "A")] * 2
    assert {row[-1]["workflow"]["new"] for row in rows} == {str(OF_ANA), str(other)}


async def test_executors_note_uses_behind_their_work(pool: Pool, database: str) -> None:
    """In a role that may write nothing else of the trail; what waits when the process ends is written then."""
    use = Use(ANA, OF_ANA)
    async with noting_uses(PostgresSecretUses(pool), lambda: 7) as uses:
        uses.note({"A", "B"}, use)
    await PostgresSecretUses(pool).add([SecretUse("A", use)])
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT actor, action, name FROM audit_trail WHERE kind = 'secret' ORDER BY name")
        assert found.fetchall() == [(ANA, "used", "A"), (ANA, "used", "B")]


def test_a_sign_in_is_on_the_trail_as_the_persons_own(connection: psycopg.Connection[Any]) -> None:
    """Though the API opens the session in a role of its own, before there are claims; never the session's digest."""
    forget(connection)
    connection.execute("INSERT INTO users (id, email, name, role) VALUES (%s, 'a@x.example', 'Ana', 'user')", (ANA,))
    connection.execute("SET LOCAL ROLE headrace_api")
    connection.execute(
        "INSERT INTO sessions (id, user_id, digest, how, expires_at)"
        " VALUES (%s, %s, sha256('secret'), 'password', now() + interval '1 day')",
        (OF_ANA, ANA),
    )
    *_, row = trail(connection)
    assert row[:6] == (ANA, "user", "signed_in", "session", str(OF_ANA), "password")
    assert row[-1]["digest"] == {"withheld": "secret"}


def test_a_draft_is_told_once_a_person(connection: psycopg.Connection[Any]) -> None:
    """When it begins, when somebody else takes it up, when it ends: never once a keystroke, and not what is in it."""
    forget(connection)
    save = "UPDATE automation_drafts SET body = %s"
    become(connection, ANA)
    connection.execute("INSERT INTO automation_drafts (automation_id, body, based_on) VALUES (%s, '{}', 1)", (OF_ANA,))
    for number in range(3):
        connection.execute(save, (Jsonb({"name": str(number)}),))
    claims = Jsonb({"sub": str(ADMIN), "role": "admin"})
    connection.execute("SELECT set_config('request.jwt.claims', %s::jsonb::text, true)", (claims,))
    connection.execute(save, (Jsonb({"name": "mine"}),))
    connection.execute(save, (None,))
    rows = trail(connection)
    assert [row[:5] for row in rows] == [
        (ANA, "user", "created", "draft", str(OF_ANA)),
        (ADMIN, "admin", "changed", "draft", str(OF_ANA)),
        (ADMIN, "admin", "ended", "draft", str(OF_ANA)),
    ]
    assert "mine" not in str(rows)
