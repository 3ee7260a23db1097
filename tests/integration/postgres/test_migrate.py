"""Bringing a database up to date: in order, once, by whoever may, wherever it starts from."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.migrate import upgrade
from app.adapters.postgres.pool import open_pool
from app.settings import Settings
from tests.support.hoarding import hoarding
from tests.support.postgres import new_database
from tests.support.waiting import in_time

pytestmark = pytest.mark.postgres


@pytest.fixture
def empty(postgres: str) -> Iterator[str]:
    """A database without anything."""
    with new_database(postgres) as url:
        yield url


@pytest.fixture
def owner(empty: str) -> Iterator[str]:
    """The URL of the empty database for an owner who is no administrator, but may create roles."""
    name, password = f"owner_{uuid4().hex[:10]}", uuid4().hex
    parts = urlsplit(empty)
    role, database = sql.Identifier(name), sql.Identifier(parts.path[1:])
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(role, sql.Literal(password)))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, role))
        for shared in ("authenticated", "headrace_service"):
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (shared,)).fetchone():
                connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(shared), role))
    yield urlunsplit(parts._replace(netloc=f"{name}:{password}@{parts.hostname}:{parts.port}"))
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(database))
        connection.execute(sql.SQL("DROP ROLE {}").format(role))


def schema(url: str) -> list[tuple[Any, ...]]:
    """Every table of ours with its columns."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema IN ('public', 'auth', 'crm') ORDER BY 1, 2, 3"
        ).fetchall()


def test_migrations_keep_the_specifications_order() -> None:
    """Automations, logs, templates, indexes, policies; what the engine adds comes after."""
    config = Config()
    config.set_main_option("script_location", "deploy:migrations")
    config.set_main_option("path_separator", "os")
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]
    names = [revision.module.__name__.removesuffix("_py") for revision in revisions]
    assert names[:5] == [
        "0001_automations",
        "0002_automation_logs",
        "0003_automation_templates",
        "0004_indexes",
        "0005_rls_policies",
    ]


def test_a_second_upgrade_changes_nothing(empty: str) -> None:
    """It finds everything done."""
    upgrade(empty)
    before = schema(empty)
    upgrade(empty)
    assert schema(empty) == before


async def test_two_starters_at_once(empty: str) -> None:
    """The second waits for the first; both end well, and the schema is there once."""
    await asyncio.gather(asyncio.to_thread(upgrade, empty), asyncio.to_thread(upgrade, empty))
    assert ("public", "automation_logs", "id", "uuid") in schema(empty)


async def test_an_owner_without_privileges_is_enough(owner: str) -> None:
    """No superuser is needed to migrate, nor for the workers to serve; row security still holds for the API's role."""
    upgrade(owner)
    async with open_pool(Settings(DATABASE_URL=owner), DatabaseRole.SERVICE) as pool, pool.connection() as connection:
        row = await (await connection.execute("SELECT current_user")).fetchone()
        await connection.execute("SELECT headrace_make_log_partition('2026-01-01')")
        await connection.execute("INSERT INTO auth.users (id) VALUES (gen_random_uuid())")
        await connection.execute(
            "INSERT INTO automations (name, trigger_type, created_by) SELECT 'x', 'order.paid', id FROM auth.users"
        )
        await connection.execute("SET ROLE authenticated")
        seen = await (await connection.execute("SELECT count(*) FROM automations")).fetchone()
    assert row == ("headrace_service",)
    assert seen == (0,)


def test_a_supabase_database_keeps_its_auth(empty: str) -> None:
    """Where ``auth`` is there with users and uid(), they stay as they are."""
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE SCHEMA auth")
        connection.execute("CREATE TABLE auth.users (id uuid PRIMARY KEY, instance_id uuid)")
        connection.execute("CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT NULL::uuid'")
    upgrade(empty)
    assert [row for row in schema(empty) if row[0] == "auth"] == [
        ("auth", "users", "id", "uuid"),
        ("auth", "users", "instance_id", "uuid"),
    ]


def test_a_failed_migration_leaves_the_database_as_it_was(empty: str) -> None:
    """Half-way through there is a table in the way: nothing of what came before stays."""
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE TABLE automation_templates (id integer)")
    before = schema(empty)
    with pytest.raises(Exception, match="already exists"):
        upgrade(empty)
    assert schema(empty) == before


async def test_no_lock_of_a_stranger_holds_a_migration_up(database: str) -> None:
    """Finding nothing to do, it takes its turn and ends, whatever is locked as `authenticated`."""
    with hoarding(database, "authenticated", advisory=["7522525836635890533"]):  # what was locked until migration 0045
        await in_time(asyncio.to_thread(upgrade, database), 20, what="the migration's turn")
