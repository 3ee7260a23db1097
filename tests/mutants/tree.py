"""A copy of the tree, in which rules can be broken without harm."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.mutants.table import Mutant

ROOT: Final = Path(__file__).resolve().parents[2]
_COPIED: Final = ("app", "agents", "tables", "schemas", "deploy", "tests", "pyproject.toml")
_LEFT: Final = ("__pycache__", ".hypothesis", ".pytest_cache")


def copy_tree(to: Path) -> None:
    """Copy what the tests need."""
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns(*_LEFT))
        else:
            shutil.copy2(ROOT / name, to / name)


def fingerprint(tree: Path) -> str:
    """Return what changes when any file of a copy does."""
    total = hashlib.sha256()
    for path in sorted(path for path in tree.rglob("*") if path.is_file() and not set(path.parts) & set(_LEFT)):
        total.update(f"{path.relative_to(tree)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def mutated(text: str, mutant: Mutant) -> str:
    """Return a file's text with its rule broken.

    Raises:
        ValueError: The old text is not in it exactly once.
    """
    found = text.count(mutant.old)
    if found != 1:
        raise ValueError(f"{mutant.file} holds the text {mutant.old!r} {found} times, not once")
    return text.replace(mutant.old, mutant.new)


@contextmanager
def applied(tree: Path, mutant: Mutant) -> Iterator[None]:
    """Break a rule in a copy for as long as the block runs."""
    path = tree / mutant.file
    before = path.read_text()
    path.write_text(mutated(before, mutant))
    try:
        yield
    finally:
        path.write_text(before)
