"""What a command does not need it does not load: a shell waits for it, and a script starts it a thousand times."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

# What takes long, and what only some commands use. `emit` speaks to Kafka, `token` signs: those have more of their own.
_HEAVY: Final = {
    "aiohttp",
    "aiokafka",
    "alembic",
    "apprise",
    "argon2",
    "cryptography",
    "faust",
    "jwt",
    "psycopg",
    "pydantic",
    "rich",
    "sqlalchemy",
    "structlog",
}
_RUN: Final = """
import sys
from app.cli import main
try:
    main()
finally:
    print("loaded", *sys.modules, file=sys.stderr)
"""


def loaded(home: Path, *arguments: str, **variables: str) -> set[str]:
    """Return the packages that a command, run as a process where nothing else runs, has loaded at its end."""
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", _RUN, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "HEADRACE_HOME": str(home), "HEADRACE_API_URL": "", **variables},
    )
    (line,) = [line for line in ran.stderr.splitlines() if line.startswith("loaded ")]
    return {name.partition(".")[0] for name in line.split()[1:]}


@pytest.mark.parametrize(
    "arguments",
    [
        "--help",
        "--version",
        "misspelt",
        "workflows list",
        "executions list",
        "dead-letters list",
        "events tail",
        "keys list",
        "queue",
    ],
)
def test_help_and_calls_of_the_api_load_nothing_heavy(tmp_path: Path, arguments: str) -> None:
    """The list of commands loads none of them, and what goes over the API does so with the standard library."""
    assert not loaded(tmp_path, *arguments.split()) & _HEAVY


def test_a_name_is_completed_without_loading_a_command(tmp_path: Path) -> None:
    """A shell asks at each Tab."""
    asked = {"_HEADRACE_COMPLETE": "bash_complete", "COMP_WORDS": "headrace e", "COMP_CWORD": "1"}
    env = {**os.environ, "HEADRACE_HOME": str(tmp_path), **asked}
    code = f"import sys\nsys.argv[0] = 'headrace'\n{_RUN}"
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=env)  # noqa: S603
    assert ran.stdout.split() == ["plain,executions", "plain,emit", "plain,events"]
    assert not {name.partition(".")[0] for name in ran.stderr.split()} & _HEAVY


def test_emit_loads_kafka_and_no_more(tmp_path: Path) -> None:
    """No broker answers there: by then it has loaded what it works with."""
    found = loaded(tmp_path, "emit", "--type", "order.created", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert "aiokafka" in found
    assert found & _HEAVY == {"aiokafka", "pydantic", "structlog"}
