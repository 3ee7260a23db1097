"""Faults in the processes that ``headrace up`` runs here: found by the supervisor's word, never by a name."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from app.domain.errors import ConflictError
from app.processes.home import AlreadyStartedError, Lock
from app.processes.role_names import role_names
from app.processes.running import running_state

ADMIN: Final = "admin"


def roles_here() -> list[str]:
    """Return the roles that faults may befall: every worker's, and the API's."""
    return [*role_names(), ADMIN]


def process_of(home: Path, role: str) -> psutil.Process | None:
    """Return a role's process, which the supervisor names and is the parent of; None where there is none just now."""
    state = running_state(home) or {}
    pid = state.get("roles", {}).get(role)
    with suppress(psutil.NoSuchProcess, TypeError):
        process = psutil.Process(pid) if pid is not None else None
        if process is not None and process.ppid() == int(state["pid"]) and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def kill(process: psutil.Process) -> None:
    """End a process as a crash would; psutil looks first whether the pid is still its."""
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGKILL)


@contextmanager
def the_only_one(home: Path) -> Iterator[None]:
    """Be for a block the only one who causes faults here: of two, each would find the other's in its own figures.

    Raises:
        ConflictError: Another one does.
    """
    lock = Lock(home / "faults.lock")
    try:
        lock.acquire()
    except AlreadyStartedError:
        raise ConflictError(
            f"another `headrace prove --faults` breaks what runs in {home}: wait for its end, or leave --faults out"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    """Freeze a process, and let it go on at the end, also where this one is killed meanwhile."""
    with suppress(psutil.NoSuchProcess), _thawing(process.pid):
        process.suspend()
        try:
            yield
        finally:
            process.resume()


@contextmanager
def _thawing(pid: int) -> Iterator[None]:
    """Have somebody who lets a process go on once we have gone, however that is: our end closes the pipe they read."""
    thaws = ["/bin/sh", "-c", 'read -r _; kill -CONT "$1" 2>/dev/null', "sh", str(pid)]
    with subprocess.Popen(thaws, stdin=subprocess.PIPE, start_new_session=True):  # noqa: S603 - no word of others
        yield
