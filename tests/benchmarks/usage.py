"""What processes cost: CPU seconds and peak memory, by name."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds since the meter started, peak resident memory in MiB."""

    cpu_s: float
    peak_rss_mb: float


class Meter:
    """Meters processes from when it is made; a process counts with all its children (Postgres's sessions)."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before = {name: _cpu(pid) for name, pid in self._pids.items()}
        self._peak = dict.fromkeys(self._pids, 0.0)

    def look(self) -> None:
        """Take the memory in; call it now and then."""
        for name, pid in self._pids.items():
            self._peak[name] = max(self._peak[name], resident_mb(pid))

    def costs(self) -> dict[str, Cost]:
        """Return what each process has cost so far."""
        self.look()
        return {name: Cost(_cpu(pid) - self._before[name], self._peak[name]) for name, pid in self._pids.items()}


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu(pid: int) -> float:
    total = 0.0
    for index, process in enumerate(_family(pid)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        # Children that ended since are in their parent's account; only the root's is read, lest any counts twice.
        total += times.children_user + times.children_system if index == 0 else 0.0
    return total


def resident_mb(pid: int) -> float:
    """Return a process's resident memory in MiB; 0 where it has ended."""
    peak = 0.0
    for process in _family(pid)[:1]:
        try:
            peak = process.memory_info().rss / _MIB
        except psutil.NoSuchProcess:
            continue
    return peak
