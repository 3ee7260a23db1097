"""How much CPU a JVM spends on compiling: one that has just started does it for minutes, one in service does not."""

from pathlib import Path
from typing import Final

# HotSpot names its compiler's threads "C1 CompilerThread0" and so on; Linux keeps fifteen characters.
_COMPILERS: Final = ("C1 Compiler", "C2 Compiler")
_NS: Final = 1e9


def compiling_s(pid: int) -> float:
    """Return the CPU seconds that the compiler threads of a process have taken; those that have ended do not count."""
    taken = 0.0
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            if (task / "comm").read_text().startswith(_COMPILERS):
                taken += int((task / "schedstat").read_text().split()[0]) / _NS
        except OSError:  # the thread has ended
            continue
    return taken
