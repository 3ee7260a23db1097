"""The command line, as somebody runs it against the running API."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from tests.admin.conftest import Api, User


@dataclass(frozen=True)
class Said:
    """What a command printed, and what it ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """Runs commands with somebody's token, away from the loop that the API runs on."""

    environment: dict[str, str]

    async def run(self, *arguments: str, stdin: str = "", **variables: str | None) -> Said:
        """Run one; its standard input is no terminal."""
        runner = CliRunner(env={**self.environment, **variables})
        done = await asyncio.to_thread(runner.invoke, main, arguments, stdin)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Said(done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def shell_of(api: Api, tmp_path: Path) -> Callable[[User], Shell]:
    """Make the shell of somebody."""
    url = api.url
    home = {"HEADRACE_HOME": str(tmp_path), "HEADRACE_API_URL": url}
    return lambda user: Shell({**home, "HEADRACE_API_TOKEN": user.token})


@pytest.fixture
def shell(shell_of: Callable[[User], Shell], user: User) -> Shell:
    """The shell of a user without any rows."""
    return shell_of(user)
