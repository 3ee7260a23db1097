"""Runs Schemathesis in a process of its own against an API that is under way."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.admin.openapi import openapi
from app.admin.routes import OPERATIONS
from tests.admin.conftest import Api
from tests.openapi.allowed import configuration
from tests.openapi.setting import ANSWERS, BASE, DOCUMENT, ROWS, TOKEN

_REPOSITORY: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Fuzzed:
    """What a run came to.

    Attributes:
        answers: How often each operation answered each status, by its name.
    """

    status: int
    output: str
    answers: dict[str, dict[str, int]]

    def never_done(self) -> set[str]:
        """Return the operations that never answered 2xx."""
        done = {name for name, counted in self.answers.items() if any(status[0] == "2" for status in counted)}
        return {operation.name for operation in OPERATIONS} - done


async def fuzz(api: Api, token: str, rows: dict[str, list[Any]], where: Path, *options: str) -> Fuzzed:
    """Run it over a directory; what it says is shown as it comes where this process shows its output."""
    base = str(api.client.make_url("")).rstrip("/")
    document = where / "openapi.json"
    document.write_text(json.dumps(openapi(OPERATIONS, "1")))
    config, answers = where / "schemathesis.toml", where / "answers.json"
    config.write_text(configuration())
    environment = {
        **os.environ,
        BASE: base,
        TOKEN: token,
        DOCUMENT: str(document),
        ROWS: json.dumps(rows, default=str),
        ANSWERS: str(answers),
        "PYTHONPATH": str(_REPOSITORY),
    }
    command = Path(sys.executable).with_name("schemathesis")
    process = await asyncio.create_subprocess_exec(
        command, "--config-file", config, "--no-color", "run", str(document), "--url", base, *options,
        cwd=_REPOSITORY, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    output = b""
    while piece := await process.stdout.read(4096):
        output += piece
        sys.stdout.write(piece.decode(errors="replace"))
        sys.stdout.flush()
    status = await process.wait()
    return Fuzzed(status, output.decode(errors="replace"), json.loads(answers.read_text()))
