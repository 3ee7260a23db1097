"""A disk for Postgres's log that can be full, without being root: a folder below which files grow no further."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.embedded.postgres import PostgresNode
from app.embedded.postgres_place import own
from app.embedded.tool import run_tool
from tests.support.servers import Servers

_SOURCE: Final = Path(__file__).with_name("full_disk.c")


@dataclass(frozen=True, slots=True)
class Disk:
    """A folder that finds no room while it is told so.

    Attributes:
        root: Holds it, the library that refuses, and what tells it to.
    """

    root: Path

    @property
    def space(self) -> Path:
        """Where files are to be."""
        return self.root / "space"

    @property
    def library(self) -> Path:
        """What is loaded into the server before anything else."""
        return self.root / "full_disk.so"

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables of the server."""
        return {
            "LD_PRELOAD": str(self.library),
            "FULL_DISK_BELOW": str(self.space),
            "FULL_DISK_WHILE": str(self._full),
        }

    def fill(self) -> None:
        """Let no file grow."""
        self._full.touch()

    def free(self) -> None:
        """Let files grow again."""
        self._full.unlink(missing_ok=True)

    def give_to(self, user: str) -> None:
        """Let the user of the server have it."""
        own(self.space, user if os.geteuid() == 0 else None)

    @property
    def _full(self) -> Path:
        return self.root / "full"


def no_way_to_fill(on: Servers) -> str | None:
    """Say what is needed."""
    if not isinstance(on.postgres, PostgresNode):
        return "a Postgres of ours: unset DATABASE_URL"
    return None if shutil.which("cc") else "a C compiler: `apt-get install gcc libc6-dev`"


@contextmanager
def own_disk() -> Iterator[Disk]:
    """Make one, where every user gets to."""
    disk = Disk(Path(tempfile.mkdtemp(prefix="headrace-disk-", dir="/var/tmp")).resolve())
    try:
        disk.root.chmod(0o755)
        disk.space.mkdir(mode=0o700)
        run_tool(["cc", "-shared", "-fPIC", "-O1", "-o", str(disk.library), str(_SOURCE), "-ldl"], "building it")
        disk.library.chmod(0o755)
        yield disk
    finally:
        shutil.rmtree(disk.root)
