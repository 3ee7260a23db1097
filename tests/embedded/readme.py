"""The blocks of README.md, run as they are pasted: in order, in one shell, from a folder beside the installation."""

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[2] / "README.md"
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What is no paste: `make up` itself, which the test runs by its command, and tables of commands (`text`).
_STARTS: Final = "make up"
_LISTENS: Final = ".listen()"


@dataclass(frozen=True)
class Block:
    """One block: its language, its text, and the line on which it begins."""

    language: str
    text: str
    line: int


def blocks() -> list[Block]:
    """Return the blocks that are pasted, in order."""
    text = README.read_text()
    found = [Block(match[1], match[2], text.count("\n", 0, match.start()) + 1) for match in _BLOCK.finditer(text)]
    return [block for block in found if block.language != "text" and _STARTS not in block.text]


def script(folder: Path) -> str:
    """Return one script that runs them all and ends at the first command that fails, each headed by its line."""
    parts = ["set -euo pipefail"]
    for block in blocks():
        parts.append(f"echo '== README.md:{block.line}'")
        parts.append(_python(block, folder) if block.language == "python" else block.text)
    return "\n".join(parts)


def _python(block: Block, folder: Path) -> str:
    file = folder / f"line_{block.line}.py"
    file.write_text(block.text)
    run = f"{shlex.quote(sys.executable)} {file.name}"
    if _LISTENS not in block.text:
        return run
    # It listens until it is stopped: that is once it has said what it heard.
    return (
        f"{run} > heard & listener=$!\n"
        "until grep order-17-paid heard; do kill -0 $listener; sleep 0.2; done\n"
        "kill $listener; wait $listener || true"
    )
