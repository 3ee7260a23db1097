"""Somebody with SQL access and a user's token has no more room than at the API: quotas, sizes, what they see."""

import threading
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from app.topics import WORKFLOWS
from schemas.message_template import MAX_PART_CHARS
from schemas.workflow import MAX_REVISION_BYTES
from tests.integration.postgres.users import ADMIN, ANA, BEA, TAG, become, put

pytestmark = pytest.mark.postgres

Connection = psycopg.Connection[Any]
OVER: Final = "PT409"
PUBLISHER: Final = {"permissions": ["templates:publish"]}
MANY: Final = """
INSERT INTO automations (name, trigger_type, created_by, active, actions)
  SELECT 'n', %(kind)s, %(owner)s, %(active)s, %(actions)s FROM generate_series(1, %(count)s)
"""
TEMPLATES: Final = """
INSERT INTO automation_templates (name, trigger_type, created_by) SELECT 'n', 'order.paid', %s
  FROM generate_series(1, %s)
"""
MESSAGES: Final = """
INSERT INTO message_templates (id, name, kind, created_by) SELECT gen_random_uuid(), 'n' || n, 'sms', %s
  FROM generate_series(1, %s) n
"""


def many(connection: Connection, count: int, *, active: bool, kind: str = "order.paid", owner: UUID = ANA) -> None:
    """Insert workflows in one statement."""
    values = {"count": count, "kind": kind, "owner": owner, "active": active, "actions": Jsonb([TAG])}
    connection.execute(MANY, values)


def refused(error: pytest.ExceptionInfo[psycopg.Error], said: str) -> bool:
    """Tell whether it is a quota's refusal, in those words."""
    return error.value.sqlstate == OVER and said in str(error.value)


def test_a_thousand_active_workflows_in_one_statement_are_none(connection: Connection) -> None:
    """Refused as a whole: no row, nothing announced; as many as are allowed pass, each type counted apart."""
    become(connection, ANA)
    with pytest.raises(psycopg.Error) as error:
        many(connection, 1000, active=True)
    assert refused(error, "There would be 1001 workflows of this user, and 200 are allowed")
    connection.rollback()
    waiting = connection.execute("SELECT count(*) FROM outbox WHERE topic = %s", (WORKFLOWS,))
    assert waiting.fetchall() == [(0,)]
    become(connection, ANA)
    many(connection, 50, active=True)
    many(connection, 50, active=True, kind="order.created")
    many(connection, 99, active=False)
    with pytest.raises(psycopg.Error) as error:
        many(connection, 1, active=False)
    assert refused(error, "201 workflows")


def test_no_more_are_switched_on_or_moved_than_are_allowed(connection: Connection) -> None:
    """By one UPDATE of all, or of a trigger; what is on may be changed otherwise, one that is off makes room."""
    become(connection, ANA)
    many(connection, 50, active=True)
    many(connection, 2, active=True, kind="order.created")
    for over in (
        "UPDATE automations SET trigger_type = 'order.paid', active = true WHERE actions <> '[]'",
        "UPDATE automations SET trigger_type = 'order.paid' WHERE trigger_type = 'order.created'",
    ):
        with pytest.raises(psycopg.Error) as error, connection.transaction():
            connection.execute(over.encode())
        assert refused(error, "active workflows with the trigger order.paid of this user, and 50 are allowed")
    connection.execute("UPDATE automations SET name = 'other' WHERE active")
    for change, kind in (("active = false", "order.paid"), ("trigger_type = 'order.paid'", "order.created")):
        one = "(SELECT id FROM automations WHERE active AND trigger_type = %s LIMIT 1)"
        connection.execute(SQL("UPDATE automations SET {} WHERE id = {}").format(SQL(change), SQL(one)), (kind,))


@pytest.mark.parametrize("isolation", [psycopg.IsolationLevel.READ_COMMITTED, psycopg.IsolationLevel.REPEATABLE_READ])
def test_two_at_once_do_not_both_pass(connection: Connection, database: str, isolation: psycopg.IsolationLevel) -> None:
    """Each within the quota by what it sees, together over it: the second waits, and is refused."""
    failed: list[psycopg.Error] = []
    with psycopg.connect(database) as other:
        other.isolation_level = isolation
        become(other, ANA)
        other.execute("SELECT count(*) FROM automations")
        become(connection, ANA)
        many(connection, 30, active=True)

        def second() -> None:
            try:
                many(other, 30, active=True)
            except psycopg.Error as error:
                failed.append(error)

        racing = threading.Thread(target=second)
        racing.start()
        connection.commit()
        racing.join(30)
    (error,) = failed
    assert error.sqlstate == (OVER if isolation is psycopg.IsolationLevel.READ_COMMITTED else "40001")


def test_an_owner_has_one_turn_by_whatever_way_things_are_written(connection: Connection) -> None:
    """The row that the API locks is the one that the database locks; no other table holds a second one."""
    become(connection, ANA)
    many(connection, 1, active=True)
    connection.commit()
    assert connection.execute("SELECT name FROM turns").fetchall() == [(f"owner {ANA}",)]
    assert connection.execute("SELECT FROM owner_turns").fetchall() == []


def test_the_limits_are_what_the_api_has_stored(connection: Connection) -> None:
    """0 is no limit; no user writes them, nor their turn."""
    connection.execute("UPDATE workflow_quotas SET workflows = 0, active = 3")
    connection.commit()
    become(connection, ANA)
    many(connection, 300, active=False)
    many(connection, 3, active=True)
    with pytest.raises(psycopg.Error) as error:
        put(connection, uuid4())
    assert refused(error, "and 3 are allowed; deactivate one first")
    for statement in (
        "UPDATE workflow_quotas SET workflows = 0",
        "SELECT * FROM workflow_quotas",
        "SELECT * FROM turns FOR UPDATE",
        "SELECT * FROM owner_turns FOR UPDATE",
        "SELECT headrace_take_turn(auth.uid())",
        "SELECT headrace_take_turn('owner ' || auth.uid())",
        "SELECT headrace_refuse_workflows_over_quota(auth.uid(), NULL)",
    ):
        become(connection, ANA)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_administrators_have_no_quota(connection: Connection) -> None:
    """Neither for themselves nor for what they do of a user's; others are counted apart."""
    become(connection, ADMIN, role="admin")
    many(connection, 201, active=True, owner=ADMIN)
    many(connection, 201, active=True, owner=ANA)
    connection.commit()
    become(connection, BEA)
    put(connection, uuid4(), BEA)


@pytest.mark.parametrize(("statement", "what"), [(TEMPLATES, "templates"), (MESSAGES, "message templates")])
def test_a_user_has_so_many_templates(connection: Connection, statement: str, what: str) -> None:
    """A thousand in all; more in one statement are none."""
    become(connection, BEA)
    with pytest.raises(psycopg.Error) as error:
        connection.execute(statement.encode(), (BEA, 1001))
    assert refused(error, f"{what} of this user, and 1000 are allowed")
    become(connection, BEA)
    connection.execute(statement.encode(), (BEA, 990))


TOO_LARGE: Final = (
    ("message_templates", "text", "x" * (MAX_PART_CHARS + 1)),
    ("message_templates", "html", "x" * (MAX_PART_CHARS + 1)),
    ("message_templates", "subject", "x" * 10_001),
    ("message_templates", "name", "x" * 101),
    ("automations", "description", "x" * 10_001),
    ("automation_templates", "description", "x" * 10_001),
    ("automation_templates", "actions", Jsonb([{**TAG, "config": {"tag": "x" * MAX_REVISION_BYTES}}])),
    ("automation_templates", "reentry", '{"key": "' + "x" * 5000 + '"}'),
    ("automation_templates", "placeholders", Jsonb([{"name": "x"}] * 51)),
    ("automation_templates", "placeholders", Jsonb([{"help": "x" * 300_000}])),
    ("automation_templates", "placeholders", Jsonb(["x"])),
    ("automation_templates", "placeholders", Jsonb({})),
    ("automations", "reentry", '{"key": "' + "x" * 5000 + '"}'),
)


@pytest.mark.parametrize(("table", "column", "value"), TOO_LARGE, ids=lambda value: str(value)[:20])
def test_no_text_is_longer_than_at_the_api(connection: Connection, table: str, column: str, value: Any) -> None:
    """Of a message, a template, a workflow."""
    become(connection, ANA, app_metadata=PUBLISHER)
    connection.execute(MESSAGES.encode(), (ANA, 1))
    changed = SQL("UPDATE {} SET {} = %s WHERE created_by = auth.uid()").format(Identifier(table), Identifier(column))
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(changed, (value,))


def test_texts_as_long_as_at_the_api_are_stored(connection: Connection) -> None:
    """Counted in characters, as there; a template's actions in bytes, without blanks between."""
    become(connection, ANA, app_metadata=PUBLISHER)
    connection.execute(MESSAGES.encode(), (ANA, 1))
    longest = "\N{SNOWMAN}" * MAX_PART_CHARS
    connection.execute("UPDATE message_templates SET text = %s, html = %s", (longest, longest))
    actions = [{**TAG, "config": {"numbers": [1] * 60_000}}]
    mine = "UPDATE automation_templates SET actions = %s WHERE created_by = auth.uid()"
    connection.execute(mine.encode(), (Jsonb(actions),))


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE automation_templates SET usage_count = 2147483647",
        "UPDATE automation_templates SET version = 2147483647",
        "UPDATE automation_templates SET created_at = '2100-01-01'",
        "UPDATE automation_templates SET updated_at = '2100-01-01'",
        "UPDATE automation_templates SET created_by = auth.uid()",
        "INSERT INTO automation_templates (name, trigger_type, created_by, version) VALUES ('n', 'x.y', auth.uid(), 9)",
        "UPDATE message_templates SET version = 2147483647",
        "UPDATE message_templates SET created_at = '2100-01-01'",
        "UPDATE message_templates SET created_by = auth.uid()",
    ],
)
def test_what_the_database_knows_of_templates_is_not_the_users_to_write(connection: Connection, forgery: str) -> None:
    """How often it is used, version, times, whose it is."""
    become(connection, ANA, app_metadata=PUBLISHER)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(forgery.encode())


def test_templates_versions_only_go_up(connection: Connection) -> None:
    """Each change is the next; one at the column's end stays there, and can still be changed."""
    connection.execute("UPDATE automation_templates SET version = 2147483647 WHERE created_by = %s", (BEA,))
    connection.commit()
    become(connection, ANA, app_metadata=PUBLISHER)
    connection.execute(MESSAGES.encode(), (ANA, 1))
    for table in (Identifier("automation_templates"), Identifier("message_templates")):
        for _ in range(2):
            connection.execute(SQL("UPDATE {} SET name = 'm' WHERE created_by = auth.uid()").format(table))
        versions = SQL("SELECT DISTINCT version FROM {} WHERE created_by = auth.uid()").format(table)
        assert connection.execute(versions).fetchall() == [(3,)]
    become(connection, BEA, app_metadata=PUBLISHER)
    changed = "UPDATE automation_templates SET name = 'm' WHERE created_by = auth.uid() RETURNING version"
    assert {row[0] for row in connection.execute(changed.encode())} == {2147483647}


def test_users_see_the_names_of_channels_that_they_may_use(connection: Connection) -> None:
    """Theirs and everybody's, as id, name and service; neither whose else they are, nor who made them."""
    for name, owners in (("all", ["*"]), ("hers", [str(ANA)]), ("both", [str(ANA), str(BEA)]), ("his", [str(BEA)])):
        connection.execute(
            "INSERT INTO notification_channels (id, name, service, url, version, updated_by, created_at, updated_at,"
            " owners, workflows) VALUES (%s, %s, 'JSON', '', 1, %s, now(), now(), %s, '{*}')",
            (uuid4(), name, ADMIN, owners),
        )
    connection.commit()
    become(connection, ANA)
    seen = connection.execute("SELECT name, service FROM notification_channels WHERE id IS NOT NULL ORDER BY 1")
    assert seen.fetchall() == [("all", "JSON"), ("both", "JSON"), ("hers", "JSON")]
    for column in ("owners", "workflows", "updated_by", "version", "created_at", "updated_at", "url"):
        become(connection, ANA)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(SQL("SELECT {} FROM notification_channels").format(Identifier(column)))


@pytest.mark.parametrize(
    "statement",
    ["SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'x')", "SELECT lo_put(1, 0, 'x')"],
)
def test_users_keep_no_large_objects(connection: Connection, statement: str) -> None:
    """Where the migration was a superuser's: nothing bounds their number and size."""
    become(connection, ANA)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())
