"""``headrace users``: the first user is made by the database, with the API's login."""

import json
import os
import re
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner, Result

from app.adapters.postgres.database_roles import DatabaseRole
from app.cli import main
from app.commands.up_run import link_lines, sign_in_link
from tests.support.logins import as_role

pytestmark = pytest.mark.postgres

EMAIL = "ada@example.com"
PASSWORD = "four words nobody guesses"


def run(home: Path, database: str, *arguments: str, text: str | None = None) -> Result:
    """Run the command, logged in as the API is."""
    login = {"DATABASE_URL": as_role(database, DatabaseRole.API), "HEADRACE_HOME": str(home)}
    return CliRunner().invoke(main, ["users", *arguments], input=text, env=login)


def test_a_user_is_made_once_and_given_a_way_in(tmp_path: Path, database: str) -> None:
    """What is printed is a token that signs in; only its digest is kept."""
    made = run(tmp_path, database, "add", EMAIL, "--role", "admin", "--id", str(UUID(int=1)))
    assert re.fullmatch(r"hrl_[\w-]{43}\n", made.output), made
    assert run(tmp_path, database, "add", EMAIL).exit_code == 6
    again = run(tmp_path, database, "add", EMAIL, "--exists-ok")
    link = run(tmp_path, database, "link", EMAIL.upper(), "--hours", "0.5")
    assert len({made.output, again.output, link.output}) == 3
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT id, email, name, role FROM users").fetchall() == [
            (UUID(int=1), EMAIL, "ada", "admin")
        ]
        rows = connection.execute("SELECT l::text FROM sign_in_links l").fetchall()
    assert len(rows) == 3
    assert made.output.strip().removeprefix("hrl_") not in str(rows)


def test_a_user_is_listed_disabled_and_given_a_password(tmp_path: Path, database: str) -> None:
    """The last administrator stays; a password comes from standard input, and is refused where it is guessed."""
    run(tmp_path, database, "add", EMAIL, "--role", "admin")
    refused = run(tmp_path, database, "disable", EMAIL)
    assert (refused.exit_code, "last administrator" in refused.output) == (6, True)
    run(tmp_path, database, "add", "sam@example.com", "--permission", "operate")
    assert run(tmp_path, database, "disable", "sam@example.com").output == "Disabled\n"
    heads, *listed = run(tmp_path, database, "list").output.splitlines()
    assert heads.split()[:4] == ["ID", "ROLE", "STATE", "E-MAIL"]
    told = json.loads(run(tmp_path, database, "list", "--json").output)["items"]
    assert [(one["email"], one["permissions"]) for one in told] == [("sam@example.com", ["operate"]), (EMAIL, [])]
    assert ["disabled" in line for line in listed] == [True, False]
    assert "operate" in listed[0]
    assert run(tmp_path, database, "link", "sam@example.com").exit_code == 6
    assert run(tmp_path, database, "enable", "sam@example.com").output == "Enabled\n"
    guessed = run(tmp_path, database, "set-password", EMAIL, text="password1234\n")
    assert (guessed.exit_code, "password1234" in guessed.output) == (2, False)
    assert run(tmp_path, database, "set-password", EMAIL, text=f"{PASSWORD}\n").exit_code == 0
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT password_hash FROM users WHERE email = %s", (EMAIL,)).fetchone()
    assert found is not None
    assert found[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert run(tmp_path, database, "link", "nobody@example.com").exit_code == 3


def test_up_signs_in_by_a_link_or_says_why_not(tmp_path: Path, database: str) -> None:
    """The address of the page with a token that holds; without a database the reason, which ends nothing."""
    there = {**os.environ, "HEADRACE_HOME": str(tmp_path), "DATABASE_URL": as_role(database, DatabaseRole.API)}
    link = sign_in_link("http://127.0.0.1:8080", there)
    assert link.startswith("http://127.0.0.1:8080/sign-in/link?token=hrl_")
    (said,) = link_lines("http://127.0.0.1:8080", {**there, "DATABASE_URL": "postgresql://127.0.0.1:1/none"})
    assert said.startswith("No link that signs in: ")
