"""Where the embedded default keeps its data: one folder per clone, so that two clones run beside each other."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from app.domain.errors import HeadraceError

_OWNER_ONLY = 0o700
_OWNER_READS = 0o600
_OWNER_AND_THROUGH = 0o711
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


def private_folder(folder: Path) -> Path:
    """Make a folder, and those above it that are missing, for their owner alone; one that is there stays as it is."""
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)
    return folder


def open_private(path: Path, flags: int) -> int:
    """Open a file to write, for its owner alone under any umask; also where it was there for others too."""
    private_folder(path.parent)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, _OWNER_READS)
    os.fchmod(fd, _OWNER_READS)
    return fd


def close_to_others(home: Path) -> None:
    """Make the folder, and take from others what an earlier version let them read of it.

    What belongs to another user, as Postgres's data does where root starts it, is closed already. That user has to get
    there: what lies above it in ``home`` can then be passed through by name, and still not be read.
    """
    private_folder(home)
    home.chmod(_OWNER_ONLY)
    for folder, folders, files in os.walk(home):
        folders[:] = [name for name in folders if _close(Path(folder, name), home)]
        for name in files:
            _close(Path(folder, name), home)


def _close(path: Path, home: Path) -> bool:
    """Take from others what they may do with ours; False for what is another user's."""
    with suppress(FileNotFoundError):
        status = path.lstat()
        if status.st_uid != os.geteuid():
            for above in path.parents[: len(path.relative_to(home).parts)]:
                above.chmod(_OWNER_AND_THROUGH)
            return False
        if not stat.S_ISLNK(status.st_mode):
            path.chmod(stat.S_IMODE(status.st_mode) & _OWNER_ONLY)
    return True


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write ``value`` so that a reader sees the old file or the new one, and only its owner may read it."""
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(open_private(draft, os.O_TRUNC), "w") as file:
        json.dump(value, file, indent=2)
    draft.replace(path)


class Lock:
    """An exclusive lock on a file: held by one process at a time, let go by the kernel when that process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path, mode=_OWNER_READS, thread_local=False)

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return bool(self._lock.is_locked)

    def acquire(self) -> None:
        """Take the lock, or keep it.

        Raises:
            AlreadyStartedError: Another process, or another object of this one, holds it.
        """
        if self._lock.is_locked:
            return
        private_folder(self._path.parent)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise AlreadyStartedError(
                f"{self._path.stem} of {self._path.parent} is run by another process; stop that first (`make down`)"
            ) from None

    def release(self) -> None:
        """Let go; harmless if it was not held."""
        self._lock.release()


@contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Hold the lock of ``path`` for a block, waiting until it is free: for one-off work such as a download."""
    private_folder(path.parent)
    with FileLock(path, mode=_OWNER_READS, thread_local=False):
        yield
