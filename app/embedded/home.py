"""Where the embedded default keeps its data: one folder per clone, so that two clones run beside each other."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.domain.errors import HeadraceError

_CLONE = Path(__file__).resolve().parents[2]


class AlreadyStartedError(HeadraceError):
    """Another process holds the lock of this service."""


def default_home() -> Path:
    """Return the folder of this clone's data.

    Returns:
        ``HEADRACE_HOME`` if it is set; else ``.headrace`` in the clone, or in the working directory where the
        package was installed without its clone.
    """
    chosen = os.environ.get("HEADRACE_HOME")
    if chosen:
        return Path(chosen).resolve()
    root = _CLONE if (_CLONE / "pyproject.toml").exists() else Path.cwd()
    return root / ".headrace"


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in ``path``; empty where there is no file, or half of one."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write ``value`` so that a reader sees the old file or the new one, and only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file, indent=2)
    draft.replace(path)


class Lock:
    """An exclusive lock on a file: held by one process at a time, let go by the kernel when that process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock, or keep it.

        Raises:
            AlreadyStartedError: Another process, or another object of this one, holds it.
        """
        if self._fd is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise AlreadyStartedError(
                f"{self._path.stem} of {self._path.parent} is run by another process; stop that first (`make down`)"
            ) from None
        self._fd = fd

    def release(self) -> None:
        """Let go; harmless if it was not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


@contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Hold the lock of ``path`` for a block, waiting until it is free: for one-off work such as a download."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
