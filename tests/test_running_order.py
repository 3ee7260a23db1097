"""Which files of tests run first."""

import sys
from pathlib import Path

from tests.support.running_order import rank
from tests.support.waiting import finished

_CONFTEST = """
import pytest
from tests.support import running_order

def pytest_configure(config):
    config.pluginmanager.register(running_order)
    config.addinivalue_line("markers", "kafka: needs a broker")

@pytest.fixture
def postgres():
    pass
"""
_FILES = {
    "test_a_marked": "import pytest\n@pytest.mark.kafka\ndef test_one(): pass\ndef test_two(): pass",
    "test_b_served": "def test_one(): pass\ndef test_two(postgres): pass",
    "test_c_alone": "def test_one(): pass\ndef test_two(): pass",
}
ROOT = Path(__file__).parent.parent


def test_what_needs_no_server_comes_first_and_a_files_tests_stay_together(tmp_path: Path) -> None:
    """One test that asks for a server, or is marked as one that starts it, puts its whole file behind."""
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    for name, text in _FILES.items():
        (tmp_path / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(tmp_path)]
    said = finished(command, within=60, cwd=str(ROOT)).stdout
    ran = [Path(line.partition(" ")[0]).name for line in said.splitlines() if " PASSED" in line]
    files = ("test_c_alone", "test_a_marked", "test_b_served")
    assert ran == [f"{file}.py::test_{number}" for file in files for number in ("one", "two")], said


def test_long_files_come_before_short_ones() -> None:
    """Properties, then the whole pipeline, then installations, then what is left."""
    files = ("tests/admin/x.py", "tests/integration/test_x.py", "tests/properties/x.py", "tests/embedded/x.py")
    ranked = sorted(files, key=lambda file: rank(file, needs_servers=True))
    assert ranked == ["tests/properties/x.py", "tests/integration/test_x.py", "tests/embedded/x.py", "tests/admin/x.py"]
