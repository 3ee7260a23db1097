"""The mark of a run on its workflows: which process made them. From it a later run sees whether that one is over.

Only who looks at the same table of processes can tell: the same host, since it was started, in the same namespace.
"""

import os
import re
import socket
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Final

import psutil

_MARKED: Final = re.compile(r"Process (?P<pid>\d+) of (?P<machine>\S+), begun at (?P<created>\d+\.\d+)")
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE: Final = Path("/proc/self/ns/pid")
_SAME_START_S: Final = 1.0


class Standing(Enum):
    """What is known of a run: its process is there, it is gone, or it is none that can be seen from here."""

    RUNS = auto()
    OVER = auto()
    ELSEWHERE = auto()


def mark(process: psutil.Process) -> str:
    """Return the description of the workflows that a process makes."""
    return (
        f"Made by `headrace prove`, which removes it at its end; a run that crashed leaves it to the next one. "
        f"Process {process.pid} of {_machine()}, begun at {process.create_time():.2f}."
    )


def standing(description: str) -> Standing:
    """Return what is known of the run that made a workflow with this description."""
    told = _MARKED.search(description)
    if told is None or told["machine"] != _machine():
        return Standing.ELSEWHERE
    return Standing.RUNS if _runs(int(told["pid"]), float(told["created"])) else Standing.OVER


def whose(description: str) -> str:
    """Return in words which process made a workflow."""
    told = _MARKED.search(description)
    return "a process somewhere" if told is None else f"process {told['pid']} of {told['machine'].partition('/')[0]}"


def _machine() -> str:
    """Return the name of this table of processes: of two hosts, or containers, that are called the same, no two."""
    known = [socket.gethostname()]
    with suppress(OSError):
        known += [_BOOT.read_text().split("-")[0], re.sub(r"\D", "", str(_NAMESPACE.readlink()))]
    return "/".join(known)


def _runs(pid: int, created: float) -> bool:
    with suppress(psutil.NoSuchProcess):
        return pid != os.getpid() and abs(psutil.Process(pid).create_time() - created) < _SAME_START_S
    return False
