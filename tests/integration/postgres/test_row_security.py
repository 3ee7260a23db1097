"""Row-level security: what each caller of the API sees and may change, and that nobody gets around it."""

from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from tests.integration.postgres.users import ADMIN, ANA, BEA, OF_ANA, OF_BEA, become

pytestmark = pytest.mark.postgres

TABLES: Final = ("automations", "automation_revisions", "automation_logs", "automation_templates")


def counts(connection: psycopg.Connection[Any]) -> list[int]:
    """How many rows of each table are seen."""
    seen = []
    for table in TABLES:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        assert row is not None
        seen.append(int(row[0]))
    return seen


def test_users_see_what_is_theirs(connection: psycopg.Connection[Any]) -> None:
    """Own workflows, revisions and log rows; of templates the own ones and the public ones."""
    become(connection, ANA)
    assert counts(connection) == [1, 1, 1, 3]


@pytest.mark.parametrize("claims", [{"role": "admin"}, {"role": "authenticated", "app_metadata": {"role": "admin"}}])
def test_administrators_see_everything(connection: psycopg.Connection[Any], claims: dict[str, Any]) -> None:
    """By the role claim, or by Supabase's app_metadata."""
    become(connection, ADMIN, **claims)
    assert counts(connection) == [2, 2, 2, 4]


def test_without_claims_nothing_is_seen(connection: psycopg.Connection[Any]) -> None:
    """Nobody's are only the public templates."""
    become(connection, None)
    assert counts(connection) == [0, 0, 0, 2]


def test_workers_see_everything(connection: psycopg.Connection[Any]) -> None:
    """The service role serves all users."""
    connection.execute("SET LOCAL ROLE headrace_service")
    assert counts(connection) == [2, 2, 2, 4]


def test_the_archive_is_under_the_same_rules(connection: psycopg.Connection[Any]) -> None:
    """Rows of a day that went there are their users' still, and an administrator's."""
    connection.execute(
        "SELECT headrace_archive_log_partition((max(executed_at) AT TIME ZONE 'UTC')::date) FROM automation_logs"
    )
    connection.commit()
    seen = []
    for user, claims in ((ANA, {}), (ADMIN, {"role": "admin"}), (None, {})):
        become(connection, user, **claims)
        seen.append(connection.execute("SELECT automation_id FROM automation_logs_archive ORDER BY 1").fetchall())
    assert seen == [[(OF_ANA,)], [(OF_ANA,), (OF_BEA,)], []]


def test_users_change_their_own_only(connection: psycopg.Connection[Any]) -> None:
    """An update of everything changes the own row; an update of another's finds nothing."""
    become(connection, ANA)
    assert connection.execute("UPDATE automations SET name = 'y'").rowcount == 1
    assert connection.execute("UPDATE automations SET name = 'y' WHERE id = %s", (OF_BEA,)).rowcount == 0
    assert connection.execute("DELETE FROM automation_templates").rowcount == 2


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO automations (name, trigger_type, created_by) VALUES ('x', 'order.paid', %(bea)s)",
        "UPDATE automations SET created_by = %(bea)s",
        "INSERT INTO automation_revisions VALUES (%(of_bea)s, 2, '{}', now(), %(ana)s)",
        "INSERT INTO automation_revisions VALUES (%(of_ana)s, 2, '{}', now(), %(ana)s)",
        "INSERT INTO automation_templates (name, trigger_type, created_by) VALUES ('x', 'order.paid', %(bea)s)",
        "INSERT INTO outbox (topic, key) VALUES ('t', convert_to(%(of_bea)s::text, 'UTF8'))",
        "INSERT INTO outbox (topic, key) VALUES ('t', convert_to(%(of_ana)s::text, 'UTF8'))",
        "INSERT INTO automation_logs (automation_id) VALUES (%(of_ana)s)",
        "UPDATE automation_logs SET status = 'success'",
        "DELETE FROM automations",
        "UPDATE automation_revisions SET body = '[]'",
        "SELECT * FROM outbox",
        "SELECT * FROM receipts",
        "SELECT * FROM execution_keys",
        "SELECT * FROM dead_letters",
        "SELECT * FROM instances",
        "SELECT * FROM crm.notes",
        "SELECT * FROM sales.orders",
        "SELECT * FROM affiliates.commissions",
        "SELECT value FROM secrets",
        "INSERT INTO secrets (name, value, updated_by) VALUES ('A', '', %(ana)s)",
        "INSERT INTO message_templates (id, name, kind, created_by) VALUES (gen_random_uuid(), 'x', 'sms', %(bea)s)",
        "SELECT * FROM entries",
        "SELECT headrace_enter('{}', '{}', '{}', '{}', '{}')",
        "SELECT url FROM notification_channels",
        "INSERT INTO notification_channels VALUES (%(of_ana)s, 'x', 'JSON', '', 1, %(ana)s, now(), now())",
        "INSERT INTO notifications VALUES (%(of_ana)s, %(ana)s, 't', 'b', %(of_ana)s, %(of_ana)s)",
        "UPDATE notifications SET title = 'x'",
        "SELECT headrace_make_log_partition('2020-01-01')",
    ],
)
def test_users_may_not(connection: psycopg.Connection[Any], statement: str) -> None:
    """Neither in another's name, nor on another's rows, nor in the engine's tables."""
    become(connection, ANA)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode(), {"ana": ANA, "bea": BEA, "of_ana": OF_ANA, "of_bea": OF_BEA})


def test_not_even_administrators_read_sealed_values(connection: psycopg.Connection[Any]) -> None:
    """They write secrets in their own name, and see whose they are."""
    become(connection, ADMIN, role="admin")
    connection.execute("INSERT INTO secrets (name, value, updated_by) VALUES ('A', 'x', %s)", (ADMIN,))
    assert connection.execute("SELECT name, updated_by FROM secrets").fetchall() == [("A", ADMIN)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
        connection.execute("INSERT INTO secrets (name, value, updated_by) VALUES ('B', 'x', %s)", (ANA,))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT value FROM secrets")


def test_partitions_are_no_way_around(connection: psycopg.Connection[Any]) -> None:
    """A partition read by its own name shows nothing, even where a grant lets it be read."""
    row = connection.execute("SELECT tableoid::regclass::text FROM automation_logs").fetchone()
    assert row is not None
    partition = sql.Identifier(row[0])
    connection.execute(sql.SQL("GRANT SELECT ON {} TO authenticated").format(partition))
    connection.commit()
    become(connection, ADMIN, role="admin")
    found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(partition)).fetchone()
    assert found == (0,)


def test_security_is_forced(connection: psycopg.Connection[Any]) -> None:
    """The tables' owner is under it as well, and neither role can bypass it or log in."""
    forced = connection.execute(
        "SELECT count(*) FROM pg_class WHERE relname = ANY(%s) AND relrowsecurity AND relforcerowsecurity",
        (
            [
                *TABLES,
                "automation_logs_archive",
                "secrets",
                "message_templates",
                "notification_channels",
                "notifications",
            ],
        ),
    ).fetchone()
    roles = connection.execute(
        "SELECT rolbypassrls, rolcanlogin, rolsuper FROM pg_roles WHERE rolname = ANY(%s)",
        (["authenticated", "headrace_service"],),
    ).fetchall()
    assert forced == (9,)
    assert roles == [(False, False, False)] * 2
