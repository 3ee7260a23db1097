"""The inventory of the database's walls: nothing is opened, and nothing made, without a decision in ``walls.txt``."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest

from app.adapters.postgres.leading import Duty
from app.adapters.postgres.migrate import upgrade
from tests.integration.postgres.walls import STRANGERS, difference, listed, needs_a_reason, walls
from tests.support.postgres import new_database

pytestmark = pytest.mark.postgres

# What a Supabase project has before anything of ours: everything new in `public` is everybody's.
_SUPABASE: Final = """
DO $$ BEGIN CREATE ROLE authenticated NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE anon NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT USAGE ON SCHEMA public TO anon, authenticated;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO anon, authenticated;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated;
"""


@pytest.fixture
def supabase(postgres: str) -> Iterator[str]:
    """The URL of a migrated database in which whatever is made is granted to all unless it is taken back."""
    with new_database(postgres) as url:
        with psycopg.connect(url) as connection:
            connection.execute(_SUPABASE)
        upgrade(url)
        yield url


def test_every_wall_is_on_the_list(database: str) -> None:
    """Tables, grants down to columns, policies, functions and sequences are those of the list: + add, - remove."""
    with psycopg.connect(database) as connection:
        found = difference(walls(connection), listed())
    assert not found, "walls.txt and the database differ:\n" + "\n".join(found)


def test_what_is_open_to_users_has_a_reason() -> None:
    """Each line that lets users, or whoever calls a function, do something says why they need it."""
    bare = [line for line, reason in listed().items() if needs_a_reason(line) and not reason]
    assert not bare, "these lines need a reason behind '  # ':\n" + "\n".join(bare)


def test_row_security_is_forced_on_every_table() -> None:
    """Not even the list may say otherwise; nor may a function be led astray by its caller's search_path."""
    lines = listed()
    empty = {f"view public.{duty}: row security off" for duty in Duty}  # without a row: they are there to be locked
    lax = [line for line in lines if ": row security" in line and not line.endswith(" forced")]
    assert set(lax) - empty == set()
    assert [line for line in lines if line.endswith("any search_path")] == []


def test_nothing_is_everybodys() -> None:
    """PUBLIC and anon have nothing but the schema's name."""
    said = [line for line in listed() if line.partition(": ")[2].partition(" ")[0] in STRANGERS - {"authenticated"}]
    assert said == ["schema public: PUBLIC may usage"]


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("CREATE TABLE public.new ()", "+ table public.new: row security off"),
        ("CREATE VIEW public.new AS SELECT 1", "+ view public.new: row security off"),
        ("GRANT TRUNCATE ON outbox TO authenticated", "+ table public.outbox: authenticated may truncate"),
        ("GRANT UPDATE (topic) ON outbox TO PUBLIC", "+ table public.outbox: PUBLIC may update (topic)"),
        ("GRANT USAGE ON SEQUENCE incarnations TO PUBLIC", "+ sequence public.incarnations: PUBLIC may usage"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "+ schema public: PUBLIC may create, usage"),
        ("ALTER TABLE timers NO FORCE ROW LEVEL SECURITY", "+ table public.timers: row security not for its owner"),
        ("DROP POLICY own ON message_templates", "- policy own on public.message_templates"),
        ("CREATE POLICY x ON outbox USING (true)", "+ policy x on public.outbox: PUBLIC all using true"),
        ("CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'", "+ function public.x(): PUBLIC may execute"),
        ("ALTER FUNCTION headrace_is_admin RESET ALL", "runs as its caller, any search_path"),
        (
            "ALTER FUNCTION headrace_is_admin SECURITY DEFINER",
            "+ function public.headrace_is_admin(): runs as its owner",
        ),
        (
            "CREATE TABLE automation_logs_20200101 (); GRANT SELECT ON automation_logs_20200101 TO authenticated",
            "+ table public.automation_logs_<day>: authenticated may select",
        ),
    ],
)
def test_whatever_is_opened_is_noticed(database: str, statement: str, line: str) -> None:
    """A new thing, a new grant, a weaker wall: each shows as a difference."""
    with psycopg.connect(database) as connection:
        connection.execute(statement.encode())
        found = difference(walls(connection), listed())
    assert any(line in one for one in found), found


def test_supabases_defaults_open_nothing(supabase: str) -> None:
    """Where all that is new is granted to everybody by default, the walls are the same, also of later partitions."""
    with psycopg.connect(supabase) as connection:
        connection.execute("SELECT headrace_make_log_partition(current_date + 30)")
        found = difference(walls(connection), listed())
    assert [line for line in found if line != "+ schema public: anon may usage"] == []


def rows(connection: psycopg.Connection[Any], statement: str) -> list[Any]:
    """What a statement returns."""
    return connection.execute(statement.encode()).fetchall()


def test_users_may_not_make_anything(database: str) -> None:
    """No schema lets users create in it, so that nothing of theirs is found in place of ours."""
    with psycopg.connect(database) as connection:
        asked = "SELECT nspname FROM pg_namespace WHERE has_schema_privilege('authenticated', oid, 'CREATE')"
        assert rows(connection, asked) == []
