"""Keeps cores busy with something else, for as long as a block runs and no longer."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# Ends also where its parent was killed: then nobody is left to end it.
_LOOP: Final = """
import os
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def busy(cores: int) -> Iterator[list[int]]:
    """Run a loop for each core; yields their pids, and ends them however the block ends."""
    loops = [subprocess.Popen([sys.executable, "-c", _LOOP]) for _ in range(cores)]  # noqa: S603 - a loop of our own
    try:
        yield [loop.pid for loop in loops]
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
