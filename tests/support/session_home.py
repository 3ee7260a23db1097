"""The folder of one test session's broker and database."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.processes.home import read_json


@contextmanager
def session_home() -> Iterator[Path]:
    """Yield a new folder that any user can enter, because Postgres runs as another one under root; remove it after."""
    home = Path(tempfile.mkdtemp(prefix="headrace-test-"))
    home.chmod(0o711)
    try:
        yield home
    finally:
        for state in home.rglob("postgres.json"):
            # Elsewhere if ``home`` itself, or what is above it, is closed to the user that Postgres runs as.
            shutil.rmtree(read_json(state).get("root", home), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
