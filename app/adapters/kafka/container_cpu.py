"""What a container may take of the CPU, and has taken: control groups, version 2 (the kernel's ``cgroup-v2.rst``)."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.adapters.kafka.strain import Times

_ROOT: Final = Path("/sys/fs/cgroup")
_MINE: Final = Path("/proc/self/cgroup")
_US: Final = 1e6
_UNLIMITED: Final = "max"


class ContainerCpu:
    """Seconds of CPU that the tightest limit on this process has left unused, and all that it has allowed.

    Where no group that it is in is limited, nothing of either. A limit that changes is seen.

    Args:
        root: Where the groups are mounted; in a container its own group is there.
        mine: Names this process's group below that.
        clock: Monotonic seconds.
    """

    def __init__(self, root: Path = _ROOT, mine: Path = _MINE, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._groups = [group for group in _groups(root, mine) if (group / "cpu.max").exists()]

    def __call__(self) -> Times:
        """Return both; they grow, except when the limit changes."""
        limited = [(cores, group) for group in self._groups if (cores := _cores(group)) is not None]
        if not limited:
            return 0.0, 0.0
        cores, group = min(limited)
        allowed = cores * self._clock()
        return allowed - _used(group), allowed


def _groups(root: Path, mine: Path) -> list[Path]:
    """Return this process's group and those around it, as far as they are mounted."""
    try:
        lines = mine.read_text().splitlines()
    except OSError:
        return [root]
    below = next((line.removeprefix("0::").strip("/") for line in lines if line.startswith("0::")), "")
    found = root / below
    # Without a namespace of its own, a container is told a path that only the machine outside has.
    group = found if found.is_dir() and ".." not in found.parts else root
    return [group, *(parent for parent in group.parents if parent == root or root in parent.parents)]


def _cores(group: Path) -> float | None:
    """Return the cores that a group may use; None for all there are."""
    try:
        quota, period = (group / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == _UNLIMITED else int(quota) / int(period)


def _used(group: Path) -> float:
    try:
        lines = (group / "cpu.stat").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / _US for line in lines if line.startswith("usage_usec ")), 0.0)
