"""The two versions of an upgrade: an older commit in a worktree with the packages of its own lock, and this clone."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.benchmarks.memory import checked_out
from tests.benchmarks.progress import say
from tests.support.code import Code

# The last commit before the step that this one belongs to.
BEFORE: Final = "1724437"
ROOT: Final = Path(__file__).resolve().parents[2]
_LOCK: Final = "requirements.lock"
_PIP: Final = ("-W", "ignore", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")


@contextmanager
def both(commit: str, kept: Path) -> Iterator[tuple[Code, Code]]:
    """Check the older one out for as long as the block runs; yields it and this clone.

    Args:
        commit: The older one.
        kept: Folder that keeps the packages from run to run.
    """
    with checked_out(commit) as tree:
        yield Code("old", tree, with_packages(tree, kept)), Code("new", ROOT)


def with_packages(tree: Path, kept: Path) -> str:
    """Return the Python that has what the lock in ``tree`` names, and ``tree``; one is made for each lock, and kept."""
    place = place_of((tree / _LOCK).read_bytes(), kept)
    python, complete = place / "bin" / "python", place / ".complete"
    if not complete.exists():
        say("installing the packages of the older commit's lock (once)")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)  # noqa: S603 - our own
        subprocess.run([str(python), *_PIP, "--require-hashes", "-r", str(tree / _LOCK)], check=True)  # noqa: S603 - our own
        complete.touch()
    subprocess.run([str(python), *_PIP, "--no-build-isolation", "-e", str(tree)], check=True)  # noqa: S603 - our own
    return str(python)


def place_of(lock: bytes, kept: Path) -> Path:
    """Return the folder of the packages that a lock names: another lock, another folder."""
    return kept / f"venv-{sha256(lock).hexdigest()[:12]}"
