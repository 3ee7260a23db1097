"""The migrations that this version of Headrace knows, in their order: read off their files, without Alembic."""

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final

_REVISION: Final = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_BEFORE: Final = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)


@lru_cache(maxsize=1)
def known_revisions() -> Sequence[str]:
    """Return every migration's number, first to last; they follow each other in one line."""
    after: dict[str, str] = {}
    for file in files("deploy.migrations.versions").iterdir():
        if file.name.endswith(".py") and (found := _REVISION.search(text := file.read_text())):
            before = _BEFORE.search(text)
            after[before[1] if before else ""] = found[1]
    line, at = [], ""
    while at in after:
        at = after[at]
        line.append(at)
    return line
