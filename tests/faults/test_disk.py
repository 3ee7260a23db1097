"""The disk that is full: what would grow finds no room while it is, what is there can be written again."""

import os
import sys
from pathlib import Path

from tests.faults.disk import Disk, own_disk
from tests.support.waiting import finished

_WRITES = """
import os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.pwrite(file, b"abcd", 0)
open(sys.argv[2], "w").close()
print(os.pwrite(file, b"wxyz", 0))
for grows in (lambda: os.pwrite(file, b"longer", 0), lambda: os.posix_fallocate(file, 0, 100)):
    try:
        grows()
        print("grew")
    except OSError as error:
        print(error.errno == 28)
os.unlink(sys.argv[2])
print(os.pwrite(file, b"longer", 0))
"""


def writes(disk: Disk, path: Path) -> list[str]:
    """Write before, while and after the disk is full, as Postgres does; return what came of it."""
    words = [sys.executable, "-c", _WRITES, str(path), disk.environment["FULL_DISK_WHILE"]]
    done = finished(words, within=30, env={**os.environ, **disk.environment})
    return done.stdout.split()


def test_a_full_disk_lets_nothing_grow() -> None:
    """Until it has room again."""
    with own_disk() as disk:
        assert writes(disk, disk.space / "file") == ["4", "True", "True", "6"]


def test_other_folders_have_room(tmp_path: Path) -> None:
    """What is not on the disk grows meanwhile."""
    with own_disk() as disk:
        assert writes(disk, tmp_path / "file") == ["4", "grew", "grew", "6"]


def test_nothing_of_it_is_left() -> None:
    """Nor does it stay full."""
    with own_disk() as disk:
        disk.fill()
        disk.fill()
        disk.free()
        disk.free()
    assert not disk.root.exists()
