"""Rows that no reader could load: the database refuses them, whoever writes them, and those of before are mended."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.adapters.postgres.breakers import PostgresBreakers
from app.adapters.postgres.dead_letters import DeadLetterTable
from app.adapters.postgres.pool import Pool
from tests.integration.postgres.test_dead_letter_table import letter
from tests.support.executions import WORKFLOW, add_workflow

pytestmark = pytest.mark.postgres

# The workers alone write these, and most often of all.
EXCEPTIONS: Final = {"automation_logs", "automation_logs_archive", "execution_keys", "receipts"}
_UNGUARDED: Final = """
SELECT t.relname, a.attname FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
WHERE a.atttypid = 'timestamptz'::regtype AND t.relkind IN ('r', 'p') AND NOT t.relispartition AND a.attnum > 0
  AND t.relnamespace::regnamespace::text NOT IN ('auth', 'pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'c'
    AND c.conkey = ARRAY[a.attnum] AND c.conname = a.attname || '_readable')
"""
_ROWS: Final = """
INSERT INTO outbox (topic) VALUES ('t');
INSERT INTO breakers (destination) VALUES ('http://x');
INSERT INTO temporal_schedules VALUES (%(id)s, 'temporal.daily', '{}', now());
INSERT INTO dead_letters (topic, "partition", "offset", reason, detail, size, cut, role, failed_at)
  VALUES ('t', 0, 0, 'not_json', '', 0, false, 'matcher', now());
INSERT INTO message_templates (id, name, kind, created_by) SELECT id, 'm', 'email', created_by FROM automations;
INSERT INTO notifications (id, user_id, title, body, workflow_id, execution_id)
  VALUES (%(id)s, %(id)s, '', '', %(id)s, %(id)s)
"""
REFUSED: Final = [
    "UPDATE outbox SET created_at = '-infinity'",
    "UPDATE outbox SET headers = '5'",
    "UPDATE temporal_schedules SET due = '-infinity'",
    "UPDATE temporal_schedules SET due = '0044-03-15 BC'",
    "INSERT INTO breakers (destination, closed, until, reason) VALUES ('http://y', false, 'infinity', 'x')",
    "UPDATE dead_letters SET record_timestamp = 'infinity'",
    "UPDATE dead_letters SET failed_at = '19999-01-01'",
    "UPDATE automations SET updated_at = 'infinity'",
    "UPDATE automations SET conditions = '{}'",
    "UPDATE automations SET conditions = '[[{}]]'",
    "UPDATE automations SET trigger_config = '[1]'",
    "UPDATE automations SET trigger_config = '5'",
    "UPDATE automations SET actions = '5'",
    "UPDATE automations SET actions = '[5]'",
    "UPDATE message_templates SET updated_at = 'infinity'",
    "UPDATE notifications SET created_at = 'infinity'",
    "UPDATE automations SET reentry = '{\"once\":'",
]


def test_every_time_is_guarded(database: str) -> None:
    """Each column of type timestamptz refuses what Python cannot load, but for tables that are named here."""
    with psycopg.connect(database) as connection:
        found = connection.execute(_UNGUARDED).fetchall()
    assert {table for table, _ in found} == EXCEPTIONS, found


@pytest.mark.parametrize("statement", REFUSED)
def test_what_no_reader_could_load_is_refused(database: str, statement: str) -> None:
    """Even from an administrator."""
    with seeded(database) as connection, pytest.raises((psycopg.errors.CheckViolation, psycopg.DataError)):
        connection.execute(statement.encode())


def test_rows_of_before_are_mended(database: str) -> None:
    """Times become readable, broken workflows stop, a breaker that is open for ever is forgotten."""
    with seeded(database) as connection:
        names = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conname ~ '_(readable|shape)$'"
        for table, name in connection.execute(names).fetchall():
            dropped = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            connection.execute(dropped.format(sql.Identifier(*table.split(".")), sql.Identifier(name)))
        connection.execute("UPDATE automations SET active = true")
        for statement in REFUSED:
            connection.execute(statement.encode())
        connection.commit()
        migrate_again(database)
        assert connection.execute("SELECT created_at > '-infinity', headers FROM outbox").fetchall() == [(True, [5])]
        assert connection.execute(
            "SELECT due < '0001-01-03', due > '-infinity' FROM temporal_schedules"
        ).fetchall() == [(True, True)]
        assert connection.execute("SELECT destination FROM breakers").fetchall() == [("http://x",)]
        found = connection.execute(
            "SELECT active, trigger_config, conditions, actions, reentry FROM automations"
        ).fetchall()
        assert found == [(False, {}, [], [], "always")]
        (stamp,) = connection.execute("SELECT failed_at FROM dead_letters").fetchall()[0]
        assert stamp.year == 9999
        connection.execute("UPDATE outbox SET set_aside = 'refused'")


async def test_a_dead_letter_of_an_unreadable_time_is_stored_without_it(sink_pool: Pool, database: str) -> None:
    """The sink does not fail for the time that a producer made up."""
    assert await DeadLetterTable(sink_pool).store([letter(timestamp="19999-01-01T00:00:00Z")]) == [None]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT record_timestamp FROM dead_letters").fetchall() == [(None,)]


async def test_breakers_are_followed_whatever_is_written(pool: Pool, database: str) -> None:
    """One that would be open for ever cannot be entered, so everybody can read the others."""
    with seeded(database) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(REFUSED[4].encode())
    async with PostgresBreakers(pool, database).watch() as watch:
        states, _ = await watch.look()
    assert states == {}


@contextmanager
def seeded(database: str) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection to a database with a row in each of the tables."""
    add_workflow(database)
    with psycopg.connect(database) as connection:
        for statement in _ROWS.split(";\n"):
            connection.execute(statement.encode(), {"id": WORKFLOW} if "%(id)s" in statement else None)
        connection.commit()
        yield connection


def migrate_again(database: str) -> None:
    """Apply the migration on rows that were written without it."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database), poolclass=NullPool)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        import_module("deploy.migrations.versions.0023_readable_rows").upgrade()
