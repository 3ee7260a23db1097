"""What the kernel knows of a process's memory: resident, proportional, its own alone, and the most there was."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

_MIB: Final = 1024 * 1024
_RESET_PEAK: Final = "5"


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB of one process. Postgres counts with all its sessions in ``pss_mb`` and ``uss_mb``, else its first process.

    Attributes:
        rss_mb: Resident, as ``ps`` and limits of containers see it; what is shared counts in full.
        pss_mb: The same with what is shared divided among who shares it, so that a sum over all counts it once.
        uss_mb: What would be free if only this process ended.
        peak_mb: The most ``rss_mb`` since the start or since ``forget_peaks``.
    """

    rss_mb: float
    pss_mb: float
    uss_mb: float
    peak_mb: float


def look(pids: Mapping[str, int]) -> dict[str, Memory]:
    """Return the memory of each process by its name; the supervisor, ``up``, counts without what it has started."""
    return {name: _memory(pid, family=name == "postgres") for name, pid in pids.items()}


def forget_peaks(pids: Mapping[str, int]) -> None:
    """Have the kernel count peaks anew from now on."""
    for pid in pids.values():
        Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)


def _memory(pid: int, *, family: bool) -> Memory:
    process = psutil.Process(pid)
    infos = [one.memory_full_info() for one in (process, *(process.children(recursive=True) if family else ()))]
    return Memory(
        rss_mb=_mib(infos[0].rss),
        pss_mb=_mib(sum(info.pss for info in infos)),
        uss_mb=_mib(sum(info.uss for info in infos)),
        peak_mb=_peak(pid),
    )


def _mib(size: int) -> float:
    return round(size / _MIB, 1)


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(round(int(line.split()[1]) / 1024, 1) for line in status.splitlines() if line.startswith("VmHWM:"))
