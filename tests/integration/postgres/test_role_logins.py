"""What each role may and may not in Postgres, logged in as in production: by its grants, whatever its code asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors, sql

from app.adapters.postgres.database_roles import LOGIN_ROLES, DatabaseRole
from tests.support.logins import as_role

pytestmark = pytest.mark.postgres

_HOLDS: Final = "SELECT * FROM partition_holds"
_VERSION: Final = "SELECT version_num FROM headrace_schema_version"
_INCARNATE: Final = "INSERT INTO instances (instance, incarnation) VALUES ('x', nextval('incarnations'))"
_SEND: Final = "INSERT INTO outbox (topic, key, value) VALUES ('t', 'k', 'v')"
_BEAT: Final = (
    "INSERT INTO heartbeats AS h (role, instance, host, pid, version, started_at, ready)"
    " VALUES ('{}', '1', 'h', 1, '1', now(), true) ON CONFLICT (role, instance) DO UPDATE SET pid = 2"
)
# By database role, the names of its processes.
_PROCESSES: Final = {
    DatabaseRole.MATCHER: ("matcher",),
    DatabaseRole.EXECUTOR: ("executor-crm", "executor-system"),
    DatabaseRole.SINK: ("sink",),
    DatabaseRole.SCHEDULER: ("scheduler",),
    DatabaseRole.SOURCES: ("sources",),
    DatabaseRole.API: ("admin",),
}
MAY: Final[dict[DatabaseRole, tuple[str, ...]]] = {
    DatabaseRole.MATCHER: (
        _VERSION,
        _HOLDS,
        _INCARNATE,
        _SEND,
        "SELECT id, version FROM automations WHERE tombstoned_at IS NULL",
        "SELECT headrace_enter('{}', '{}', '{}', '{}', '{}', '{}')",
        "SELECT user_id, role, permissions FROM user_permissions",
    ),
    DatabaseRole.EXECUTOR: (
        _VERSION,
        _HOLDS,
        _INCARNATE,
        _SEND,
        "SELECT name, value FROM secrets",
        "SELECT name, url FROM notification_channels",
        "SELECT user_id, role, permissions FROM user_permissions",
        "INSERT INTO crm.tags (customer_id, tag) VALUES ('c', 't')",
        "SELECT * FROM sales.orders",
        "SELECT headrace_action_types_in_use()",
    ),
    DatabaseRole.SINK: (
        _VERSION,
        _HOLDS,
        _INCARNATE,
        "SELECT headrace_make_log_partition('2030-01-01')",
        "SELECT * FROM automation_logs_horizon",
    ),
    DatabaseRole.SCHEDULER: (
        _VERSION,
        _SEND,
        "DELETE FROM outbox",
        "DELETE FROM timers",
        "UPDATE automations SET tombstoned_at = now()",
        "SELECT headrace_archive_log_partition('2020-01-01')",
        "SELECT headrace_remove_archived_log_partition('2020-01-01')",
        "SELECT name, url FROM notification_channels",
        "SELECT * FROM workflow_failures",
        "DELETE FROM alert_states",
    ),
    DatabaseRole.SOURCES: (_VERSION, _HOLDS, _INCARNATE),
    DatabaseRole.DASHBOARDS: (
        "SELECT id, name, active FROM automations",
        "SELECT automation_id, status, executed_at, execution_duration_ms FROM automation_logs",
        "SELECT workflow_id, since FROM workflow_failures",
    ),
    DatabaseRole.API: (
        _VERSION,
        _SEND,
        "SELECT * FROM dead_letters",
        "INSERT INTO auth.users (id) VALUES (gen_random_uuid())",
        "INSERT INTO sales.orders (order_id, customer_id, total, currency) VALUES ('o', 'c', 1, 'EUR')",
        "SET ROLE authenticated",
    ),
}
_SECRETS: Final = ("SELECT value FROM secrets", "SELECT url FROM notification_channels")
_LOG: Final = (
    "SELECT * FROM automation_logs",
    "DELETE FROM automation_logs",
    "UPDATE automation_logs SET status = 'x'",
)
_CRM: Final = ("SELECT * FROM crm.customers", "SELECT * FROM sales.orders", "INSERT INTO crm.notes DEFAULT VALUES")
_WORKFLOWS: Final = (
    "SELECT actions FROM automations",
    "UPDATE automations SET active = true",
    "DELETE FROM automations",
)
_EFFECTS: Final = ("SELECT * FROM receipts", "UPDATE receipts SET result = '{}'", "DELETE FROM execution_keys")
_INBOXES: Final = ("SELECT title FROM notifications", "UPDATE notifications SET title = 'x'")
_TEXTS: Final = ("SELECT text FROM message_templates", "SELECT * FROM automation_templates")
_OUTBOX: Final = ("SELECT value FROM outbox", "UPDATE outbox SET topic = 'x'", "DELETE FROM outbox")
MAY_NOT: Final[dict[DatabaseRole, tuple[str, ...]]] = {
    DatabaseRole.MATCHER: (
        *(*_SECRETS, *_LOG, *_CRM, *_WORKFLOWS, *_EFFECTS, *_INBOXES, *_TEXTS, *_OUTBOX),
        "INSERT INTO automation_revisions DEFAULT VALUES",
        "SELECT * FROM timers",
        "SELECT * FROM user_permissions",
        "SELECT * FROM dead_letters",
    ),
    DatabaseRole.EXECUTOR: (
        *(*_LOG, *_WORKFLOWS, *_INBOXES, *_OUTBOX),
        "UPDATE secrets SET value = ''",
        "DELETE FROM receipts",
        "UPDATE sales.orders SET total = 0",
        "SELECT * FROM affiliates.commissions",
        "UPDATE user_permissions SET role = 'admin'",
        "SELECT * FROM dead_letters",
        "SELECT headrace_make_log_partition('2030-01-01')",
    ),
    DatabaseRole.SINK: (
        *(*_SECRETS, *_CRM, *_WORKFLOWS, *_INBOXES, *_TEXTS, *_OUTBOX),
        "SELECT * FROM receipts",
        "INSERT INTO outbox (topic, key) VALUES ('t', 'k')",
        "DELETE FROM automation_logs",
        "SELECT value FROM dead_letters",
        "SELECT * FROM timers",
        "SELECT headrace_archive_log_partition('2020-01-01')",
        "SELECT headrace_remove_archived_log_partition('2020-01-01')",
    ),
    DatabaseRole.SCHEDULER: (
        *(*_LOG, *_INBOXES, *_TEXTS, *_WORKFLOWS),
        "SELECT value FROM secrets",
        "SELECT result FROM receipts",
        "UPDATE receipts SET result = '{}'",
        "UPDATE crm.customers SET profile = '{}'",
        "SELECT value FROM dead_letters",
        "INSERT INTO timers DEFAULT VALUES",
        "SELECT * FROM user_permissions",
    ),
    DatabaseRole.SOURCES: (
        *(*_SECRETS, *_LOG, *_CRM, *_WORKFLOWS, *_EFFECTS, *_INBOXES, *_TEXTS, *_OUTBOX),
        "INSERT INTO outbox (topic, key) VALUES ('t', 'k')",
        "SELECT * FROM timers",
        "SELECT * FROM dead_letters",
    ),
    DatabaseRole.DASHBOARDS: (
        *(*_SECRETS, *_LOG, *_CRM, *_WORKFLOWS, *_EFFECTS, *_INBOXES, *_TEXTS, *_OUTBOX),
        "SELECT error_message FROM automation_logs",
        "SELECT execution_id FROM workflow_failures",
        "DELETE FROM workflow_failures",
        "SELECT * FROM heartbeats",
        "SELECT * FROM partition_holds",
        "SELECT * FROM dead_letters",
    ),
    DatabaseRole.API: (
        *(*_SECRETS, *_INBOXES, *_WORKFLOWS, *_OUTBOX),
        "SELECT trigger_event FROM automation_logs",
        "UPDATE automation_logs SET status = 'x'",
        "INSERT INTO automation_logs DEFAULT VALUES",
        "UPDATE receipts SET state = 2",
        "UPDATE receipts SET result = '{}'",
        "DELETE FROM receipts",
        "UPDATE automation_templates SET is_public = true",
        "UPDATE timers SET due = now()",
        "DELETE FROM dead_letters",
        "SELECT headrace_make_log_partition('2030-01-01')",
    ),
}
# Nobody changes what the database is, leaves it for the machine, or becomes somebody else.
NOBODY_MAY: Final = (
    "CREATE TABLE public.mine (x int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION file_fdw",
    "DROP TABLE outbox",
    "TRUNCATE partition_holds",
    "ALTER TABLE outbox DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE outbox DISABLE TRIGGER ALL",
    "ALTER POLICY service ON secrets TO PUBLIC",
    "CREATE POLICY mine ON secrets USING (true)",
    "DROP POLICY service ON secrets",
    "CREATE OR REPLACE FUNCTION headrace_is_admin() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "UPDATE headrace_schema_version SET version_num = '0001'",
    "CREATE ROLE mine",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE postgres PASSWORD 'x'",
    "SET ROLE postgres",
    "SET ROLE headrace_service",
    "SET SESSION AUTHORIZATION postgres",
    "GRANT headrace_service TO CURRENT_USER",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/headrace-was-here'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT * FROM pg_authid",
    "SELECT pg_reload_conf()",
    "ALTER DATABASE postgres SET log_statement = 'all'",
    "SELECT * FROM user_permissions; SET LOCAL row_security = off; SELECT * FROM user_permissions",
)


@contextmanager
def login(database: str, role: DatabaseRole) -> Iterator[psycopg.Connection[Any]]:
    """Connect as a role's process does."""
    with psycopg.connect(as_role(database, role), autocommit=True) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        yield connection


def denied(connection: psycopg.Connection[Any], statement: str) -> bool:
    """Try a statement, and undo it; tells whether Postgres denied it for want of a right."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())
    except errors.InsufficientPrivilege:
        return True
    except psycopg.Error:
        return False
    return False


@pytest.mark.parametrize("role", LOGIN_ROLES)
def test_what_a_role_may(database: str, role: DatabaseRole) -> None:
    """Postgres carries out what its process asks for; all that its process asks for is tried by the other tests."""
    with login(database, role) as connection:
        for statement in MAY[role]:
            with connection.transaction(force_rollback=True):
                connection.execute(statement.encode())


@pytest.mark.parametrize("role", LOGIN_ROLES)
def test_what_a_role_may_not(database: str, role: DatabaseRole) -> None:
    """Others' tables and columns, the schema, roles, and the machine below."""
    with login(database, role) as connection:
        assert [one for one in (*MAY_NOT[role], *NOBODY_MAY) if not denied(connection, one)] == []


@pytest.mark.parametrize("role", _PROCESSES)
def test_a_login_is_nothing_but_its_role(database: str, role: DatabaseRole) -> None:
    """RESET ROLE takes away what there was, and no other role can be taken on."""
    others = [str(other) for other in DatabaseRole if other is not role]
    if role is not DatabaseRole.API:
        others.append("authenticated")
    with login(database, role) as connection:
        assert [other for other in others if not denied(connection, f"SET ROLE {other}")] == []
        connection.execute("RESET ROLE")
        tables = "automations", "outbox", "partition_holds", "secrets", "dead_letters"
        assert [table for table in tables if not denied(connection, f"SELECT FROM {table}")] == []
        assert [one for one in NOBODY_MAY if not denied(connection, one)] == []


@pytest.mark.parametrize("role", _PROCESSES)
def test_a_role_writes_heartbeats_of_its_own_processes(database: str, role: DatabaseRole) -> None:
    """A new one and a known one; it reads all, changes no other role's, and removes none: the scheduler does."""
    with psycopg.connect(database, autocommit=True) as owner:
        for name in (name for names in _PROCESSES.values() for name in names):
            owner.execute(_BEAT.format(name).encode())
    others = [name for other, names in _PROCESSES.items() if other is not role for name in names]
    with login(database, role) as connection:
        for own in _PROCESSES[role]:
            connection.execute(_BEAT.format(own).encode())
        assert [name for name in others if not denied(connection, _BEAT.format(name))] == []
        assert connection.execute("UPDATE heartbeats SET pid = 3").rowcount == len(_PROCESSES[role])
        assert len(connection.execute("SELECT role FROM heartbeats").fetchall()) == len(others) + len(_PROCESSES[role])
        assert denied(connection, "DELETE FROM heartbeats") is (role is not DatabaseRole.SCHEDULER)


def test_grafana_reads_from_the_start(database: str) -> None:
    """It cannot say whom it acts as, so its login user does by itself; it reads little, and no more."""
    with psycopg.connect(as_role(database, DatabaseRole.DASHBOARDS), autocommit=True) as connection:
        connection.execute("SELECT name FROM automations")
        others = [str(other) for other in DatabaseRole if other is not DatabaseRole.DASHBOARDS]
        assert [other for other in others if not denied(connection, f"SET ROLE {other}")] == []
        assert [one for one in NOBODY_MAY if not denied(connection, one)] == []


def test_roles_are_no_more_than_their_grants(database: str) -> None:
    """None of them logs in, is a superuser, bypasses row level security, makes roles or databases."""
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
            " AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolcanlogin)",
            ([*LOGIN_ROLES, "headrace_rows"],),
        ).fetchall()
    assert {row[0] for row in found} == {*map(str, LOGIN_ROLES), "headrace_rows"}


def test_row_level_security_lets_every_role_pass_or_none(database: str) -> None:
    """What the service role's policies say holds for all of them: grants alone tell them apart, and rows has none."""
    with psycopg.connect(database) as connection:
        forgotten = connection.execute(
            "SELECT tablename, policyname FROM pg_policies"
            " WHERE 'headrace_service' = ANY (roles) AND NOT 'headrace_rows' = ANY (roles)"
        ).fetchall()
        granted = connection.execute(
            "SELECT objid::regclass FROM pg_shdepend WHERE refobjid = 'headrace_rows'::regrole AND deptype = 'a'"
            " AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchall()
    assert (forgotten, granted) == ([], [])
