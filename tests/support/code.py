"""Another clone's code as processes, with packages of its own."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Code:
    """Which code a process runs.

    Attributes:
        name: What reports call it.
        tree: The clone.
        python: The Python with the packages that this clone's lock names.
    """

    name: str
    tree: Path
    python: str = sys.executable

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process import this clone, whatever is installed beside it."""
        return {"PYTHONPATH": str(self.tree)}

    async def headrace(self, *words: str, environment: Mapping[str, str]) -> None:
        """Run a command of the clone's command line to its end.

        Raises:
            AssertionError: It failed; the text is what it said.
        """
        process = await asyncio.create_subprocess_exec(
            self.python,
            "-m",
            "app.cli",
            *words,
            cwd=self.tree,
            env={**environment, **self.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, f"{self.name}: headrace {' '.join(words)}: {said.decode(errors='replace')}"
