"""``make test-busy``: the whole suite, three times in a row, with every core also busy with something else.

Rounds that have passed on this very tree are not run again: the command goes on where it was stopped. A round that
fails starts the row anew. ``build/busy.json`` has the rounds, and each round's results are in ``build/busy-N.xml``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.busy.load import busy
from tests.mutants.tree import ROOT, copy_tree, fingerprint

BUILD: Final = ROOT / "build"
Round = Callable[[int], bool]


class Row:
    """The rounds that have passed in a row on one tree.

    Args:
        path: Where they are kept.
        tree: Fingerprint of the tree.
    """

    def __init__(self, path: Path, tree: str) -> None:
        self._path = path
        self._tree = tree
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        self.passed: list[float] = found["passed"] if found.get("tree") == tree else []

    def put(self, *, passed: bool, seconds: float) -> None:
        """Add a round; one that failed leaves none."""
        self.passed = [*self.passed, round(seconds, 1)] if passed else []
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_text(json.dumps({"tree": self._tree, "passed": self.passed}) + "\n")


def rounds(row: Row, wanted: int, run: Round, say: Callable[[str], None]) -> bool:
    """Run what is missing of the row; returns whether it is complete."""
    while len(row.passed) < wanted:
        number = len(row.passed) + 1
        say(f"round {number} of {wanted}")
        began = time.monotonic()
        passed = run(number)
        row.put(passed=passed, seconds=time.monotonic() - began)
        say(f"round {number} of {wanted} {'passed' if passed else 'failed'} after {time.monotonic() - began:.0f} s")
        if not passed:
            return False
    say(f"{wanted} rounds have passed in a row, in {', '.join(f'{seconds:.0f}' for seconds in row.passed)} s")
    return True


def suite(number: int) -> bool:
    """Run the whole suite once, with every core busy; its progress is pytest's own."""
    with busy(os.cpu_count() or 1):
        command = [sys.executable, "-m", "pytest", "tests", f"--junit-xml={BUILD / f'busy-{number}.xml'}"]
        return subprocess.run(command, cwd=ROOT, check=False).returncode == 0  # noqa: S603 - our own tests


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the rounds; 0 where all have passed in a row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(Path(folder))
        tree = fingerprint(Path(folder))
    row = Row(BUILD / "busy.json", tree)
    if row.passed:
        say(f"{len(row.passed)} rounds have passed on this tree before")
    return 0 if rounds(row, wanted, suite, say) else 1


if __name__ == "__main__":
    sys.exit(main())
