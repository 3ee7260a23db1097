"""Somebody with SQL access and a user's token: nothing stands between them and the tables but the walls."""

from collections.abc import Iterator
from typing import Any, Final, LiteralString
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from app.topics import WORKFLOWS
from tests.integration.postgres.users import ADMIN, ANA, BEA, OF_ANA, OF_BEA, become, put

pytestmark = pytest.mark.postgres

Connection = psycopg.Connection[Any]
USERS_MAY_NOT: Final = (
    "INSERT INTO automation_logs (automation_id) SELECT id FROM automations",
    "DELETE FROM automation_logs",
    "TRUNCATE automation_logs",
    "TRUNCATE automations CASCADE",
    "TRUNCATE automation_revisions",
    "TRUNCATE outbox",
    "DELETE FROM automation_revisions",
    "DELETE FROM outbox",
    "UPDATE outbox SET value = 'x'",
    "COPY outbox TO STDOUT",
    "COPY outbox FROM STDIN",
    "COPY automation_logs FROM STDIN",
    "COPY secrets TO STDOUT",
    "COPY automations TO '/tmp/x'",
    "COPY automations TO PROGRAM 'true'",
    "SELECT nextval('outbox_id_seq')",
    "SELECT nextval('incarnations')",
    "SELECT setval('outbox_id_seq', 1)",
    "SELECT headrace_make_log_partition(current_date)",
    "SELECT headrace_archive_log_partition(current_date)",
    "SELECT headrace_enter('{}', '{}', '{}', '{}', '{}', '{}')",
    "SELECT value FROM timers",
    "SELECT * FROM automation_logs_horizon",
    "SELECT * FROM user_permissions",
    "UPDATE headrace_schema_version SET version_num = '0001'",
    "SELECT * FROM auth.users",
    "ALTER TABLE outbox DISABLE ROW LEVEL SECURITY",
    "ALTER FUNCTION headrace_is_admin() RESET ALL",
    "CREATE TRIGGER x AFTER INSERT ON automations EXECUTE FUNCTION headrace_announce_revision()",
    "CREATE FUNCTION public.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE automations DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
)


@pytest.mark.parametrize("workflow", [OF_ANA, OF_BEA])
@pytest.mark.parametrize("topic", [WORKFLOWS, "matcher-workflows-changelog", "actions.send_email", "executions", "t"])
def test_users_send_nothing(connection: Connection, workflow: UUID, topic: str) -> None:
    """Neither under another's key nor under their own: no revision, no command, no row of the log."""
    become(connection, ANA)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(
            "INSERT INTO outbox (topic, key, value) VALUES (%s, %s, 'x')", (topic, str(workflow).encode())
        )


@pytest.mark.parametrize(
    "body",
    [
        {"id": str(OF_BEA), "version": 9, "owner": str(ANA)},
        {"id": str(OF_ANA), "version": 2, "owner": str(BEA)},
        {"id": str(OF_ANA), "version": 2**31 - 1, "owner": str(ANA)},
        {"deleted": True},
        {"actions": [{"type": "send_email", "order": 1}]},
        {"x": "y" * 1_000_000},
    ],
)
def test_users_write_no_revision(connection: Connection, body: dict[str, Any]) -> None:
    """Of another id, another owner, another version, or of their own: the database writes it."""
    become(connection, ANA)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("INSERT INTO automation_revisions VALUES (%s, 2, %s, now(), %s)", (OF_ANA, Jsonb(body), ANA))


@pytest.mark.parametrize("statement", USERS_MAY_NOT)
def test_users_may_not(connection: Connection, statement: str) -> None:
    """Log, outbox, sequences, the engine's functions, and the walls themselves."""
    become(connection, ANA)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


@pytest.fixture
def outsider(connection: Connection) -> Iterator[str]:
    """A login that is nothing but a member of ``authenticated``."""
    name = f"outsider_{uuid4().hex[:10]}"
    connection.execute(f"CREATE ROLE {name} LOGIN IN ROLE authenticated".encode())
    connection.commit()
    yield name
    connection.rollback()
    connection.execute(f"DROP ROLE {name}".encode())
    connection.commit()


def sign_in(connection: Connection, login: str, user: UUID) -> None:
    """Go on as a session of that login, with a user's claims."""
    connection.rollback()
    connection.execute(f"SET SESSION AUTHORIZATION {login}".encode())
    connection.execute(
        "SELECT set_config('request.jwt.claims', %s, false)", (orjson.dumps({"sub": str(user)}).decode(),)
    )
    connection.commit()


def test_a_users_login_becomes_nobody_else(connection: Connection, outsider: str) -> None:
    """Not the workers' role, not the owner; and what is asked of ``authenticated`` is asked of its members."""
    sign_in(connection, outsider, ANA)
    try:
        for role in ("headrace_service", "postgres"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(f"SET ROLE {role}".encode())
        with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
            put(connection, uuid4(), actions=[{}])
        connection.execute("UPDATE automations SET name = 'mine'")
        seen = connection.execute("SELECT version, body ->> 'name' FROM automation_revisions ORDER BY 1").fetchall()
        assert seen == [(1, None), (2, "mine")]
        connection.rollback()
    finally:
        connection.rollback()
        connection.execute("RESET SESSION AUTHORIZATION")
        connection.commit()


def test_users_read_nothing_of_others(connection: Connection) -> None:
    """Revisions, logs, what waits, texts, inboxes; nor change any of it."""
    connection.execute(
        "INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, due, topic, key, value)"
        " VALUES (%s, %s, %s, 'e', 0, 'delay', '', now(), 't', '', '')",
        (uuid4(), uuid4(), OF_BEA),
    )
    connection.execute(
        "INSERT INTO message_templates (id, name, kind, created_by) VALUES (%s, 'private', 'email', %s)", (uuid4(), BEA)
    )
    connection.execute("INSERT INTO notifications VALUES (%s, %s, 't', 'b', %s, %s)", (uuid4(), BEA, OF_BEA, uuid4()))
    connection.commit()
    become(connection, ANA)
    for asked in (
        "SELECT id FROM automations WHERE id = %s",
        "SELECT version FROM automation_revisions WHERE automation_id = %s",
        "SELECT id FROM automation_logs WHERE automation_id = %s",
        "SELECT reason FROM timers WHERE workflow_id = %s",
        "SELECT title FROM notifications WHERE workflow_id = %s",
    ):
        assert connection.execute(asked.encode(), (OF_BEA,)).fetchall() == [], asked
    for statement in (
        "UPDATE message_templates SET text = 'x'",
        "DELETE FROM message_templates",
        "UPDATE notifications SET read_at = now()",
        "UPDATE automations SET name = 'x' WHERE created_by <> auth.uid()",
        "DELETE FROM automation_templates WHERE created_by <> auth.uid()",
    ):
        assert connection.execute(statement.encode()).rowcount == 0, statement


def test_nobodys_operators_make_an_administrator(connection: Connection) -> None:
    """Where a user may make things in a schema of their own, none of them is taken for one of Postgres's."""
    connection.execute("CREATE SCHEMA evil")
    connection.execute("GRANT CREATE, USAGE ON SCHEMA evil TO authenticated")
    connection.commit()
    become(connection, ANA)
    connection.execute("CREATE FUNCTION evil.f(jsonb, text) RETURNS text LANGUAGE sql AS $$ SELECT 'admin' $$")
    connection.execute("CREATE OPERATOR evil.->> (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = evil.f)")
    connection.execute("SET LOCAL search_path = evil, pg_catalog, public")
    assert connection.execute("SELECT public.headrace_is_admin()").fetchone() == (False,)
    assert connection.execute("SELECT count(*) FROM public.automations").fetchone() == (1,)


def test_without_claims_nothing_is_written(connection: Connection) -> None:
    """Nobody owns nothing."""
    become(connection, None)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        put(connection, uuid4())


def keyed(connection: Connection, *, revoked: bool) -> UUID:
    """Store an API key, as the tables' owner."""
    connection.rollback()
    key_id = uuid4()
    connection.execute(
        "INSERT INTO api_keys (id, name, digest, permissions, created_by, revoked_at)"
        " VALUES (%s, 'shop', sha256(%s), '{operate}', %s, CASE WHEN %s THEN now() END)",
        (key_id, key_id.bytes, ADMIN, revoked),
    )
    connection.commit()
    return key_id


@pytest.mark.parametrize("administrator", [True, False])
@pytest.mark.parametrize("change", ["revoked_at = NULL", "revoked_at = now() + interval '1 year'"])
def test_a_key_is_revoked_for_good(connection: Connection, change: LiteralString, *, administrator: bool) -> None:
    """By an administrator's SQL and by the tables' owner: neither brings it back nor puts it off; one in use may go."""
    gone, in_use = keyed(connection, revoked=True), keyed(connection, revoked=False)

    def act() -> None:
        connection.rollback()
        if administrator:
            become(connection, ADMIN, app_metadata={"role": "admin"})

    act()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="revoked"):
        connection.execute(SQL("UPDATE api_keys SET {} WHERE id = %s").format(SQL(change)), (gone,))
    act()
    assert connection.execute("UPDATE api_keys SET revoked_at = now() WHERE id = %s", (in_use,)).rowcount == 1


def test_a_key_stays_the_one_it_is(connection: Connection) -> None:
    """Whoever may write the column: another digest is another key."""
    key_id = keyed(connection, revoked=False)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="make another"):
        connection.execute("UPDATE api_keys SET digest = sha256('mine') WHERE id = %s", (key_id,))
    connection.rollback()
    connection.execute("UPDATE api_keys SET last_used = now() WHERE id = %s", (key_id,))
