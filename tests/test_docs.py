"""README.md and docs/: what stands in a block of shell is pasted."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_BLOCK: Final = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Output, tables of commands, formats: nothing that a shell is given.
_NO_SHELL: Final = frozenset({"text", "json", "yaml", "python", "mermaid", "sql"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_have_no_prompts_and_no_comments(page: Path) -> None:
    """A `$` would be pasted as well, and a comment is one in a script only: zsh takes it for arguments."""
    text = page.read_text()
    for block in _BLOCK.finditer(text):
        place = f"{page.name}:{text.count(chr(10), 0, block.start()) + 1}"
        assert block[1] in {"sh", *_NO_SHELL}, f"{place}: the language is said, and shell is `sh`"
        if block[1] == "sh":
            assert not [line for line in block[2].splitlines() if re.match(r"\s*[$#] |.*\s# ", line)], place
