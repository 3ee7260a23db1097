"""``headrace keys``, against a real Postgres."""

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main

pytestmark = pytest.mark.postgres


def run(home: Path, database: str, *arguments: str) -> Any:
    """Run the command."""
    return CliRunner(env={"HEADRACE_HOME": str(home), "DATABASE_URL": database}).invoke(main, ["keys", *arguments])


def test_a_key_is_made_listed_and_revoked(tmp_path: Path, database: str) -> None:
    """The key is printed once, alone on its line; the list has its id, state and permissions, and never the key."""
    made = run(
        tmp_path, database, "create", "--name", "shop", "--permission", "events:write", "--permission", "operate"
    )
    assert made.exit_code == 0, made.output
    key = made.output.strip()
    assert re.fullmatch(r"hrk_[A-Za-z0-9_-]{43}", key)
    listed = run(tmp_path, database, "list").output
    assert re.search(r"in use +never used +events:write,operate  shop", listed)
    assert key not in listed
    revoked = run(tmp_path, database, "revoke", listed.split()[0])
    assert (revoked.exit_code, revoked.output) == (0, "Revoked\n")
    assert " revoked " in run(tmp_path, database, "list").output
    again = run(tmp_path, database, "revoke", listed.split()[0])
    assert (again.exit_code, again.output) == (1, "Error: There is no such API key in use\n")


def test_a_permission_that_no_key_can_have_is_refused(tmp_path: Path, database: str) -> None:
    """The line lists those there are."""
    refused = run(tmp_path, database, "create", "--name", "shop", "--permission", "templates:publish")
    assert refused.exit_code == 2
    assert "'events:write'" in refused.output


def test_a_name_that_is_none_is_refused(tmp_path: Path, database: str) -> None:
    """One line that names the field."""
    refused = run(tmp_path, database, "create", "--name", " ", "--permission", "operate")
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: name: ")
