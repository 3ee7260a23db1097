"""Making the roles' login users: by whoever may, as often as wanted, from several databases at once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql

from app.adapters.postgres.database_roles import LOGIN_ROLES, DatabaseRole, check_login
from app.adapters.postgres.login_users import login_url, make_login_users, user_name
from app.cli import main
from app.domain.errors import SettingsError
from app.processes.role_names import OPTIONAL_ROLES, role_names
from tests.deployment.compose import services
from tests.support.logins import as_process, as_role
from tests.support.postgres import new_database

pytestmark = pytest.mark.postgres

COMPOSE: Final = Path(__file__).parents[3] / "docker-compose.yml"


@pytest.fixture
def prefix(postgres: str) -> Iterator[str]:
    """A prefix of this test's own; its users are dropped after."""
    name = f"t{uuid4().hex[:10]}"
    yield name
    with psycopg.connect(postgres, autocommit=True) as connection:
        for role in LOGIN_ROLES:
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(user_name(role, name))))


@pytest.fixture
def nobody(postgres: str, database: str) -> Iterator[str]:
    """The URL of the database for a user who may make nothing."""
    name, parts = f"nobody_{uuid4().hex[:10]}", urlsplit(database)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'p'").format(sql.Identifier(name)))
    yield urlunsplit(parts._replace(netloc=f"{name}:p@{parts.hostname}:{parts.port}"))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def lets_in(database: str, prefix: str, password: str) -> bool:
    """Whether the sink's user gets in with a password."""
    try:
        with psycopg.connect(login_url(database, DatabaseRole.SINK, password, prefix)):
            return True
    except psycopg.OperationalError:
        return False


def test_made_again_the_last_password_counts(database: str, prefix: str) -> None:
    """The first one lets nobody in any more, and the user is a member of what it was."""
    for password in ("first", "second"):
        assert make_login_users(database, {DatabaseRole.SINK: password}, prefix) == [f"{prefix}_sink_login"]
    assert (lets_in(database, prefix, "first"), lets_in(database, prefix, "second")) == (False, True)
    with psycopg.connect(database) as connection:
        groups = connection.execute(
            "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", (f"{prefix}_sink_login",)
        ).fetchall()
    assert groups == [("headrace_sink",)]


async def test_installations_of_one_cluster_make_theirs_at_once(
    postgres: str, migrated_template: str, database: str, prefix: str
) -> None:
    """Roles are the cluster's: whoever comes second finds them, whatever they were about to do."""
    passwords = dict.fromkeys(LOGIN_ROLES, "word")
    with new_database(postgres, template=migrated_template) as other:
        makers = [asyncio.to_thread(make_login_users, url, passwords, prefix) for url in (database, other) * 4]
        assert await asyncio.gather(*makers) == [[user_name(role, prefix) for role in LOGIN_ROLES]] * 8
    assert lets_in(database, prefix, "word")


def test_who_may_not_make_users_is_told_what_an_administrator_runs(nobody: str, prefix: str) -> None:
    """The statements of each role that was asked for, without its password; none is made."""
    with pytest.raises(SettingsError) as raised:
        make_login_users(nobody, {DatabaseRole.API: "hush-hush"}, prefix)
    user = f"{prefix}_api_login"
    assert f"CREATE ROLE {user} LOGIN NOINHERIT PASSWORD '...'" in str(raised.value)
    assert f"GRANT headrace_api, authenticated TO {user};" in str(raised.value)
    assert "hush-hush" not in str(raised.value)


def test_a_refused_migration_says_what_an_administrator_runs(postgres: str, nobody: str) -> None:
    """Not only that a role is missing: the statement that is needed."""
    with new_database(postgres) as url:
        own = urlunsplit(urlsplit(nobody)._replace(path=urlsplit(url).path))
        with psycopg.connect(url, autocommit=True) as connection:
            names = sql.Identifier(urlsplit(url).path[1:]), sql.Identifier(urlsplit(nobody).username or "")
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(*names))
        said = CliRunner().invoke(main, ["migrate"], env={"DATABASE_URL": own}).output
    assert "As an administrator: GRANT authenticated TO nobody_" in said


def test_the_command_prints_no_password(database: str, prefix: str) -> None:
    """It names the users, and the variables that were not set."""
    asked = {"DATABASE_URL": database, "HEADRACE_DATABASE_PASSWORD_SINK": "hush-hush"}
    said = CliRunner().invoke(main, ["database-users", "--prefix", prefix], env=asked)
    assert said.exit_code == 0
    assert f"Database users: {prefix}_sink_login\n" in said.output
    assert "HEADRACE_DATABASE_PASSWORD_MATCHER" in said.output
    assert "hush-hush" not in said.output
    assert lets_in(database, prefix, "hush-hush")


def test_the_command_wants_a_password(database: str) -> None:
    """Without any there is nothing to do, and it says which variables it looks for."""
    said = CliRunner().invoke(main, ["database-users"], env={"DATABASE_URL": database})
    assert said.exit_code == 1
    assert "set HEADRACE_DATABASE_PASSWORD_MATCHER" in said.output


async def test_a_role_that_logs_in_as_more_says_so(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """A superuser still acts as the role, but could act as itself: the warning says what it is and what to do."""
    await check_login(database, DatabaseRole.SINK)
    assert "is a superuser" in caplog.text
    assert "headrace database-users" in caplog.text


@pytest.mark.parametrize("process", [*role_names(), *OPTIONAL_ROLES, "admin"])
async def test_a_role_that_logs_in_as_its_own_user_says_nothing(
    database: str, process: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each has what it needs, and no more."""
    own = next(role for role in LOGIN_ROLES if as_role(database, role) == as_process(database, process))
    await check_login(as_process(database, process), own)
    assert not caplog.records


async def test_a_member_of_other_roles_is_more(database: str, prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    """As a user is that served every role before each had its own."""
    make_login_users(database, {DatabaseRole.SINK: "word"}, prefix)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("GRANT headrace_matcher TO {}").format(sql.Identifier(f"{prefix}_sink_login")))
    await check_login(login_url(database, DatabaseRole.SINK, "word", prefix), DatabaseRole.SINK)
    assert "may act as headrace_matcher" in caplog.text


async def test_another_roles_user_is_refused(database: str) -> None:
    """The process ends at its start, and says which user it needs."""
    with pytest.raises(SettingsError, match=r"headrace_sink_login of DATABASE_URL may not act as headrace_matcher"):
        await check_login(as_role(database, DatabaseRole.SINK), DatabaseRole.MATCHER)


def test_compose_gives_the_owner_to_who_prepares_the_database_alone() -> None:
    """Each role has the URL of its own user; the owner's stands once, for three commands."""
    text = COMPOSE.read_text()
    assert text.count(":${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}@") == 1
    urls = {name: str(service.get("environment", {}).get("DATABASE_URL")) for name, service in services().items()}
    assert [name for name, url in urls.items() if "POSTGRES_PASSWORD" in url] == [
        "migrate",
        "database-users",
        "templates",
    ]
    for role in set(LOGIN_ROLES) - {DatabaseRole.DASHBOARDS}:  # Grafana's, whose datasource is no such URL
        assert f"//{user_name(role)}:${{HEADRACE_DATABASE_PASSWORD_{role.word.upper()}:?" in text
