"""The command line: every mistake is one line, a next step and an exit code."""

import asyncio
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.admin.auth import Authenticator
from app.cli import main
from app.embedded.free_ports import pick_ports
from app.processes.running import write_state
from app.settings import load_settings
from tests.support.deadlines import scaled
from tests.support.waiting import finished

_SECRET = "0123456789abcdef0123456789abcdef"


def _run(home: Path, *arguments: str, **variables: str | None) -> Any:
    return CliRunner(env={"HEADRACE_HOME": str(home), **variables}).invoke(main, arguments)


@pytest.mark.parametrize("command", [("topics",), ("migrate",), ("token",), ("emit", "--type", "order.created")])
def test_a_wrong_setting_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    """The one line names the variable; nothing else happens."""
    result = _run(tmp_path, *command, HEADRACE_EVENTS_PARTITIONS="many")
    assert result.exit_code == 1
    assert result.output.startswith("Error: HEADRACE_EVENTS_PARTITIONS: ")
    assert len(result.output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        ("topics", "KAFKA_BOOTSTRAP_SERVERS"),
        ("emit --type order.created", "KAFKA_BOOTSTRAP_SERVERS"),
        ("worker matcher", "KAFKA_BOOTSTRAP_SERVERS"),
        ("admin", "KAFKA_BOOTSTRAP_SERVERS"),
        ("migrate", "DATABASE_URL"),
    ],
)
@pytest.mark.parametrize("deaf", [False, True], ids=["refuses", "accepts and is silent"])
def test_an_unreachable_server_is_one_line_within_ten_seconds(
    tmp_path: Path, command: str, variable: str, *, deaf: bool
) -> None:
    """As a real process: which server, which variable, exit code 1; also where something accepts and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if deaf:
            listener.listen()
        port = listener.getsockname()[1] if deaf else pick_ports(1)[0]
        environment = {
            **os.environ,
            "HEADRACE_HOME": str(tmp_path),
            "HEADRACE_JWT_SECRET": _SECRET,
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}",
            "DATABASE_URL": f"postgresql://user:hidden-word@127.0.0.1:{port}/x",
        }
        started = time.monotonic()
        done = finished([sys.executable, "-m", "app.cli", *command.split()], within=30, env=environment)
    took = time.monotonic() - started
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    # A role says of both that they are away, a line each.
    assert len(lines) == (3 if command in ("worker matcher", "admin") else 1), done.stderr
    assert variable in done.stderr
    assert "hidden-word" not in done.stderr
    assert took < scaled(10)


def test_an_unknown_role_is_refused_with_those_there_are(tmp_path: Path) -> None:
    """A typing error costs nothing."""
    result = _run(tmp_path, "worker", "machter")
    assert result.exit_code == 2
    assert "'matcher'" in result.output


def test_a_token_is_accepted_by_the_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `token` prints passes the API's own check, with the role that was asked for."""
    result = _run(tmp_path, "token", "--role", "user", HEADRACE_JWT_SECRET=_SECRET)
    assert result.exit_code == 0
    monkeypatch.setenv("HEADRACE_JWT_SECRET", _SECRET)
    caller = asyncio.run(Authenticator(load_settings()).caller(f"Bearer {result.output.strip()}"))
    assert caller.role == "user"


def test_no_secret_no_token(tmp_path: Path) -> None:
    """Without a secret the line says which variable to set."""
    result = _run(tmp_path, "token", HEADRACE_JWT_SECRET="")
    assert result.exit_code == 1
    assert "HEADRACE_JWT_SECRET" in result.output


def test_a_key_is_made_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    """What `secrets key` prints is taken by the setting; what is no key is named by its variable, without its value."""
    made = _run(tmp_path, "secrets", "key").output.strip()
    again = _run(tmp_path, "token", HEADRACE_SECRETS_KEY=f"{made},{made}", HEADRACE_JWT_SECRET=_SECRET)
    assert again.exit_code == 0
    refused = _run(tmp_path, "token", HEADRACE_SECRETS_KEY=f"{made},{made[:-6]}", HEADRACE_JWT_SECRET=_SECRET)
    assert refused.exit_code == 1
    assert "HEADRACE_SECRETS_KEY must be keys as `headrace secrets key` makes them" in refused.output
    assert made[:-6] not in refused.output


@pytest.mark.postgres
def test_resealing_needs_a_key(tmp_path: Path, database: str) -> None:
    """With one it says how many values it sealed; a second time it does so again."""
    key = _run(tmp_path, "secrets", "key").output.strip()
    for _ in range(2):
        done = _run(tmp_path, "secrets", "reseal", DATABASE_URL=database, HEADRACE_SECRETS_KEY=key)
        assert (done.exit_code, done.output.strip()) == (0, "Sealed with the first key: 0")


def test_where_nothing_runs_info_says_how_to_start(tmp_path: Path) -> None:
    """`dev info` fails with the command that would help; `down` has nothing to do."""
    result = _run(tmp_path, "dev", "info", "--json")
    assert result.exit_code == 5
    assert "make up" in result.output
    stopped = _run(tmp_path, "down")
    assert (stopped.exit_code, stopped.output.strip()) == (0, "Nothing runs here")


def test_info_is_one_json_object_for_scripts(tmp_path: Path) -> None:
    """The keys that scripts rely on are there; the environment with its secrets is not."""
    keys = ("api_url", "kafka", "database_url", "admin_token", "smtp")
    write_state(tmp_path, {**dict.fromkeys(keys, "x"), "environment": {"HEADRACE_JWT_SECRET": _SECRET}})
    result = _run(tmp_path, "dev", "info", "--json")
    shown = json.loads(result.output)
    assert set(shown) == {*keys, "pid"}
    assert shown["pid"] == os.getpid()


@pytest.mark.parametrize(("typed", "meant"), [(("worklows", "list"), "workflows"), (("workflows", "lst"), "list")])
def test_a_misspelt_command_names_the_nearest(tmp_path: Path, typed: tuple[str, ...], meant: str) -> None:
    """As a misspelt option and a misspelt field do."""
    result = _run(tmp_path, *typed)
    assert (result.exit_code, f"Did you mean {meant}?" in result.output) == (2, True), result.output


@pytest.mark.parametrize("command", ["apply", "diff", "test"])
def test_a_file_that_is_not_there_is_named_before_the_api_is_asked(tmp_path: Path, command: str) -> None:
    """Nothing runs here, and that is not what is wrong first."""
    result = _run(tmp_path, "workflows", command, "nowhere.yaml", HEADRACE_API_URL=None)
    assert (result.exit_code, "nowhere.yaml" in result.output) == (2, True), result.output


def test_where_nothing_runs_commands_of_the_api_say_how_to_start(tmp_path: Path) -> None:
    """With the exit code of an API that is away, which it is."""
    result = _run(tmp_path, "workflows", "list", HEADRACE_API_URL=None)
    assert (result.exit_code, "make up" in result.output) == (5, True), result.output
