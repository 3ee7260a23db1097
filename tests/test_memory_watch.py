"""The test session's own memory is bounded, and who takes it is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import finished

_CONFTEST = """
from tests.support.memory_watch import MemoryWatch

def pytest_configure(config):
    config.pluginmanager.register(MemoryWatch({most}))
"""
_HOG = """
from pathlib import Path

def test_hog():
    assert len(b"x" * 500_000_000) > 0

def test_counts_anew():
    Path("/proc/self/clear_refs").write_text("5")
"""
_SMALL = """
def test_small():
    pass
"""
# Of those that are installed; importing the rest takes longer than the tests.
_FEW_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}
ROOT = Path(__file__).parent.parent


def run(folder: Path, most: int, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder with a bound of so many MB."""
    (folder / "conftest.py").write_text(_CONFTEST.format(most=most))
    (folder / "test_hog.py").write_text(_HOG)
    (folder / "test_small.py").write_text(_SMALL)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={folder}", str(folder)]
    done = finished([*command, *options], within=60, cwd=str(ROOT), env={**os.environ, **_FEW_PLUGINS})
    assert "3 passed" in done.stdout
    return done


@pytest.mark.parametrize(("most", "code"), [(400, 1), (4000, 0)])
@pytest.mark.parametrize("options", [(), ("-n", "2", "--dist", "loadfile")], ids=["alone", "side by side"])
def test_a_session_that_takes_too_much_fails_and_names_the_test(
    tmp_path: Path, most: int, code: int, options: tuple[str, ...]
) -> None:
    """Though every test passes, and a later one makes the process count its peak anew; within the bound it passes."""
    done = run(tmp_path, most, *options)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("MB  test_hog.py::test_hog" in done.stdout) == (code == 1)
    assert "test_small" not in done.stdout


def test_each_of_two_sessions_says_what_it_took(tmp_path: Path) -> None:
    """By its name; alone it is the test session."""
    assert "peak memory of the test session: " in run(tmp_path, 4000).stdout
    said = run(tmp_path, 4000, "-n", "2", "--dist", "loadfile").stdout
    assert all(f"peak memory of test session gw{number}: " in said for number in (0, 1)), said
