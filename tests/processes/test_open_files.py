"""Processes may have as many files open as their hard limit says."""

import sys

from tests.support.waiting import finished

_RAISED = (
    "import app.processes.open_files as f, resource as r; print(f.allow_open_files(), *r.getrlimit(r.RLIMIT_NOFILE))"
)


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    """Whatever the shell began with."""
    limited = f"ulimit -Sn 256; ulimit -Hn 700; exec '{sys.executable}' -c '{_RAISED}'"
    shown = finished(["/bin/bash", "-c", limited], within=20)
    assert shown.stdout.split() == ["700", "700", "700"]
