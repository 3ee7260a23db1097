"""The test session's own memory is bounded, and who takes it is named."""

import sys
from pathlib import Path

import pytest

from tests.support.waiting import finished

_CONFTEST = """
from tests.support.memory_watch import MemoryWatch

def pytest_configure(config):
    config.pluginmanager.register(MemoryWatch({most}))
"""
_TESTS = """
def test_hog():
    assert len(b"x" * {taken} * 1_000_000) > 0

def test_small():
    pass
"""
ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(("most", "code"), [(400, 1), (4000, 0)])
def test_a_session_that_takes_too_much_fails_and_names_the_test(tmp_path: Path, most: int, code: int) -> None:
    """Though every test of it passes; within the bound it passes, and says what it took."""
    (tmp_path / "conftest.py").write_text(_CONFTEST.format(most=most))
    (tmp_path / "test_it.py").write_text(_TESTS.format(taken=500))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(tmp_path)]
    done = finished(command, within=60, cwd=str(ROOT))
    assert done.returncode == code, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "peak memory of the test session: " in done.stdout
    assert ("MB  test_it.py::test_hog" in done.stdout) == (code == 1)
    assert "test_small" not in done.stdout
