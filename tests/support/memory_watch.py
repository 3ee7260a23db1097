"""How much memory a test session itself takes at most, and which tests made it grow; too much fails the session.

Of sessions side by side (``pytest -n 2``) each is watched by itself, and what they took is told where they began.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

MOST_MB: Final = 1024
_NAMED: Final = 8
_LEAST_MB: Final = 10
_STATUS: Final = Path("/proc/self/status")
_TOLD: Final = "memory"


def peak_mb() -> float:
    """Return the largest resident size that this process has had.

    Not ``ru_maxrss``: a process inherits that of whoever started it.
    """
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


@dataclass
class Taken:
    """What one session took.

    Attributes:
        session: Its name.
        peak: MB.
        grown: By how much which test has raised the peak.
    """

    session: str
    peak: float
    grown: list[tuple[float, str]] = field(default_factory=list)

    def note(self, peak: float, nodeid: str) -> None:
        """Note the peak after a test; a test may have made the process count it anew, and then it is lower."""
        if peak - self.peak >= _LEAST_MB:
            self.grown.append((peak - self.peak, nodeid))
        self.peak = max(self.peak, peak)


class MemoryWatch:
    """A plugin of pytest.

    Args:
        most_mb: The bound.
    """

    def __init__(self, most_mb: float = MOST_MB) -> None:
        self._most_mb = most_mb
        self._own = Taken("the test session", peak_mb())
        self._others: list[Taken] = []

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note by how much a test has raised the peak."""
        self._own.note(peak_mb(), nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what another session has told at its end; one that died told nothing, and is a failure by itself."""
        told = getattr(node, "workeroutput", {}).get(_TOLD)
        if told is not None:
            self._others.append(Taken(f"test session {node.gateway.id}", **told))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the session that took too much; one beside others tells what it took instead."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_TOLD] = {"peak": self._own.peak, "grown": self._own.grown}
        elif self._too_much() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what it took; where that is too much, by which tests."""
        for taken in self._sessions():
            terminalreporter.write_line(f"peak memory of {taken.session}: {taken.peak:.0f} MB")
        for taken in self._too_much():
            terminalreporter.write_line(
                f"{taken.session} took more than {self._most_mb:g} MB; the peak was raised most by", red=True
            )
            for grown, nodeid in sorted(taken.grown, reverse=True)[:_NAMED]:
                terminalreporter.write_line(f"  {grown:6.0f} MB  {nodeid}")

    def _sessions(self) -> list[Taken]:
        return self._others or [self._own]

    def _too_much(self) -> list[Taken]:
        return [taken for taken in self._sessions() if taken.peak > self._most_mb]
