"""Runs Schemathesis in a process of its own against an API that is under way."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.admin.openapi import openapi
from app.admin.operations import Operation
from app.admin.routes import OPERATIONS
from tests.openapi.allowed import configuration
from tests.openapi.setting import Setting

_REPOSITORY: Final = Path(__file__).parents[2]
_CURL: Final = re.compile(r" +(curl .*)")
_WRONG: Final = re.compile(r"- (ST\d+ .*)")


@dataclass(frozen=True)
class Fuzzed:
    """What a run came to.

    Attributes:
        answers: How often each operation answered each status, by its name.
    """

    status: int
    output: str
    answers: Mapping[str, Mapping[str, int]]

    @property
    def failures(self) -> list[str]:
        """A line for each: what is wrong, and a command which calls the API as it was called."""
        found, wrong = list[str](), list[str]()
        for line in self.output.splitlines():
            if named := _WRONG.match(line):
                wrong.append(named[1])
            elif curl := _CURL.match(line):
                found.append(f"{'; '.join(wrong)}: {curl[1]}")
                wrong = []
        return list(dict.fromkeys(found))

    def done(self, operation: Operation) -> int:
        """Return how often an operation has succeeded."""
        counted = self.answers.get(operation.name, {})
        return sum(counted.get(str(status), 0) for status in operation.answers)


async def fuzz(setting: Setting, where: Path, operations: Sequence[Operation], *options: str) -> Fuzzed:
    """Run it.

    Args:
        setting: The API, and what is there.
        where: A folder for what it reads.
        operations: Those to call; all where there are none.
        options: Of the command line.
    """
    document, config = where / "openapi.json", where / "schemathesis.toml"
    document.write_text(json.dumps(openapi(OPERATIONS, "1")))
    config.write_text(configuration())
    named = [word for one in operations for word in ("--include-operation-id", one.name)]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"), "--config-file", config, "--no-color", "run", str(document),
        "--url", setting.base, "--checks", "all", *named, *options,
        cwd=_REPOSITORY, env={**os.environ, **setting.environment(), "PYTHONPATH": str(_REPOSITORY)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return Fuzzed(process.returncode or 0, output.decode(errors="replace"), setting.counted())
