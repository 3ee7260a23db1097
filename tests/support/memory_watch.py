"""How much memory the test session itself takes at most, and which tests made it grow; too much fails the session."""

from pathlib import Path
from typing import Final

import pytest

MOST_MB: Final = 1024
_NAMED: Final = 8
_LEAST_MB: Final = 10
_STATUS: Final = Path("/proc/self/status")


def peak_mb() -> float:
    """Return the largest resident size that this process has had.

    Not ``ru_maxrss``: a process inherits that of whoever started it.
    """
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


class MemoryWatch:
    """A plugin of pytest.

    Args:
        most_mb: The bound.
    """

    def __init__(self, most_mb: float = MOST_MB) -> None:
        self._most_mb = most_mb
        self._seen = peak_mb()
        self._grown: list[tuple[float, str]] = []

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note by how much a test has raised the peak."""
        peak = peak_mb()
        if peak - self._seen >= _LEAST_MB:
            self._grown.append((peak - self._seen, nodeid))
        self._seen = peak

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the session that took too much."""
        if self._seen > self._most_mb and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what it took; where that is too much, by which tests."""
        terminalreporter.write_line(f"peak memory of the test session: {self._seen:.0f} MB")
        if self._seen > self._most_mb:
            terminalreporter.write_line(
                f"that is more than {self._most_mb:g} MB; the peak was raised most by", red=True
            )
            for grown, nodeid in sorted(self._grown, reverse=True)[:_NAMED]:
                terminalreporter.write_line(f"  {grown:6.0f} MB  {nodeid}")
