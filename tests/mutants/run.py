"""``make mutants``: breaks each rule on purpose and sees whether its test turns red.

Each mutant of ``table.py`` (the specification's properties) and ``walls.py`` is applied by itself in a copy of the
tree, and its test run there. Before that all of these tests must be green in the copy. Prints a line for each mutant
and writes ``build/mutants.json``: ``{"mutants": [{property, test, mutation, killed}]}``; fails where one survives. A
run that was interrupted is taken up again, as long as no file has changed: what it found is in ``mutants.jsonl``. With
words as arguments it runs the mutants whose file, texts or test have one of them, and leaves the report as it is.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from tests.mutants.table import MUTANTS, Mutant
from tests.mutants.tree import ROOT, applied, copy_tree, fingerprint
from tests.mutants.walls import WALLS
from tests.properties.listed import Listed, listed_properties
from tests.support.deadlines import scaled
from tests.support.postgres import running_postgres
from tests.support.session_home import session_home

REPORT: Final = ROOT / "build" / "mutants.json"
JOURNAL: Final = ROOT / "build" / "mutants.jsonl"
_LONGEST_S: Final = 300
_GREEN: Final = "none"


class WrongMutantError(Exception):
    """A run that says nothing about its test: nothing was applied, or something else than the test failed."""


def outcome(report: Path) -> bool:
    """Say whether tests have failed, by pytest's report in JUnit's form.

    Raises:
        WrongMutantError: There is none, no test ran, or one could not be set up.
    """
    if not report.exists():
        raise WrongMutantError("pytest has written no report; nothing could be collected")
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 - pytest wrote it just now
    counts = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors")} if suite is not None else {}
    if not counts.get("tests") or counts["errors"]:
        raise WrongMutantError(f"no verdict: {counts}")
    return counts["failures"] > 0


def run_tests(tree: Path, tests: Sequence[str], database: str, seconds: float = _LONGEST_S) -> bool:
    """Run tests in a copy; returns whether one has failed.

    Raises:
        WrongMutantError: They came to no verdict.
    """
    report = tree / "report.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--hypothesis-profile=mutants"]
    environment = {**os.environ, "DATABASE_URL": database, "PYTHONPATH": str(tree)}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and tests
            [*command, f"--junit-xml={report}", *tests],
            cwd=tree, env=environment, capture_output=True, text=True, timeout=scaled(seconds), check=False,
        )  # fmt: skip
        return outcome(report)
    except subprocess.TimeoutExpired:
        raise WrongMutantError(f"no end within {scaled(seconds):.0f} s: {' '.join(tests)}") from None
    except WrongMutantError as error:
        raise WrongMutantError(f"{error}\n{done.stdout[-3000:]}{done.stderr[-1000:]}") from None


class Journal:
    """What earlier runs on the same tree have found.

    Args:
        path: A file with a JSON object a line.
        tree: Fingerprint of the tree.
    """

    def __init__(self, path: Path, tree: str) -> None:
        self._path = path
        self._tree = tree
        self._known: dict[str, bool] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            row = json.loads(line)
            if row["tree"] == tree:
                self._known[row["mutation"]] = row["red"]

    def get(self, mutation: str) -> bool | None:
        """Return whether tests were red, if that is known."""
        return self._known.get(mutation)

    def put(self, mutation: str, *, red: bool) -> None:
        """Keep it."""
        self._known[mutation] = red
        self._path.parent.mkdir(exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps({"tree": self._tree, "mutation": mutation, "red": red}) + "\n")


def check_green(tree: Path, tests: Sequence[str], database: str, journal: Journal) -> None:
    """See all tests green before anything is broken.

    Raises:
        WrongMutantError: They are not.
    """
    if journal.get(_GREEN) is False:
        return
    say("all properties on the tree as it is")
    if run_tests(tree, tests, database, 3 * _LONGEST_S):
        raise WrongMutantError("a test is red although nothing is broken; run pytest tests/properties")
    journal.put(_GREEN, red=False)


def node_of(mutant: Mutant, tests: dict[int, Listed]) -> str:
    """Return the test that must turn red, as pytest names it."""
    return mutant.test if isinstance(mutant.test, str) else tests[mutant.test].node


def chosen(words: Sequence[str]) -> list[Mutant]:
    """Return the mutants that have one of the words; all where there are none."""
    everything = [*MUTANTS, *WALLS]
    return [one for one in everything if not words or any(word in f"{one.test} {one}" for word in words)]


def judged(
    mutants: Sequence[Mutant], tree: Path, tests: dict[int, Listed], database: str, journal: Journal
) -> Iterator[dict[str, Any]]:
    """Yield what became of each mutant.

    Raises:
        ValueError: Its old text is not in its file exactly once.
        WrongMutantError: Its test came to no verdict.
    """
    for position, mutant in enumerate(mutants, 1):
        began, killed = time.monotonic(), journal.get(str(mutant))
        if killed is None:
            try:
                with applied(tree, mutant):
                    killed = run_tests(tree, [node_of(mutant, tests)], database)
            except WrongMutantError as error:
                raise WrongMutantError(f"{mutant}: {error}") from None
            journal.put(str(mutant), red=killed)
        said = f"{position:3d}/{len(mutants)} {time.monotonic() - began:5.1f} s"
        say(f"{said}  {'killed  ' if killed else 'SURVIVED'}  {mutant.test!s:>2}  {mutant}")
        yield {**_named(mutant), "mutation": str(mutant), "killed": killed}


def _named(mutant: Mutant) -> dict[str, Any]:
    return (
        {"property": mutant.test, "test": None}
        if isinstance(mutant.test, int)
        else {"property": None, "test": mutant.test}
    )


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run all; returns the exit code."""
    tests = {one.number: one for one in listed_properties()}
    words, mutants = sys.argv[1:], chosen(sys.argv[1:])
    with session_home() as home, running_postgres(home) as database, tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy_tree(tree)
        journal = Journal(JOURNAL, fingerprint(tree))
        try:
            check_green(tree, sorted({node_of(one, tests) for one in mutants}), database, journal)
            results = list(judged(mutants, tree, tests, database, journal))
        except (ValueError, WrongMutantError) as error:
            say(f"ERROR: {error}")
            return 2
    if not words:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(json.dumps({"mutants": results}, indent=1) + "\n")
    survivors = [row for row in results if not row["killed"]]
    say(f"{len(results)} mutants, {len(survivors)} survived{'' if words else f'; {REPORT.relative_to(ROOT)}'}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
