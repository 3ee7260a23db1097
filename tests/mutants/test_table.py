"""The mutants that ``make mutants`` runs still apply, and its verdicts are what they claim."""

import ast
from pathlib import Path

import pytest

from tests.mutants.run import Journal, WrongMutantError, outcome
from tests.mutants.table import MUTANTS, Mutant
from tests.mutants.tree import ROOT, applied, fingerprint, mutated
from tests.mutants.walls import WALLS
from tests.properties.listed import listed_properties


@pytest.mark.parametrize("mutant", [*MUTANTS, *WALLS], ids=lambda mutant: f"{mutant.test}-{mutant.file}")
def test_each_mutant_applies_exactly_once_and_is_python(mutant: Mutant) -> None:
    """Its old text is in its file once, and the file still parses with the new one."""
    before = (ROOT / mutant.file).read_text()
    after = mutated(before, mutant)
    assert after != before
    ast.parse(after)


def test_every_property_has_a_mutant_and_no_mutant_is_listed_twice() -> None:
    """So that each property's test is seen to fail."""
    assert {mutant.test for mutant in MUTANTS} == {one.number for one in listed_properties()}
    assert len({*MUTANTS, *WALLS}) == len(MUTANTS) + len(WALLS)


@pytest.mark.parametrize("test", sorted({str(mutant.test) for mutant in WALLS}))
def test_the_test_of_each_wall_is_there(test: str) -> None:
    """One that was renamed would be no test at all."""
    path, _, name = test.partition("::")
    functions = {one.name for one in ast.walk(ast.parse((ROOT / path).read_text())) if hasattr(one, "name")}
    assert not name or name in functions


def test_a_text_that_is_gone_is_an_error() -> None:
    """A rule that has moved must be looked for, not passed over."""
    for text in ("x = 2", "x = 1\nx = 1"):
        with pytest.raises(ValueError, match="times, not once"):
            mutated(text, Mutant(1, "a.py", "x = 1", "x = 3"))


def test_a_mutant_is_applied_in_the_copy_and_taken_back(tmp_path: Path) -> None:
    """The copy is as it was afterwards, and its fingerprint is another one meanwhile."""
    (tmp_path / "a.py").write_text("x = 1\n")
    clean = fingerprint(tmp_path)
    with applied(tmp_path, Mutant(1, "a.py", "x = 1", "x = 3")):
        assert (tmp_path / "a.py").read_text() == "x = 3\n"
        assert fingerprint(tmp_path) != clean
    assert fingerprint(tmp_path) == clean


def report(folder: Path, tests: int, failures: int, errors: int) -> Path:
    """Write a report as pytest does."""
    path = folder / "report.xml"
    path.write_text(f'<testsuites><testsuite tests="{tests}" failures="{failures}" errors="{errors}"/></testsuites>')
    return path


def test_only_a_test_that_failed_kills(tmp_path: Path) -> None:
    """A green run is a survivor; a mutant that breaks the set-up, or of which no test ran, says nothing."""
    assert outcome(report(tmp_path, 1, 1, 0)) is True
    assert outcome(report(tmp_path, 1, 0, 0)) is False
    for counts in ((0, 0, 0), (1, 0, 1), (2, 1, 1)):
        with pytest.raises(WrongMutantError, match="no verdict"):
            outcome(report(tmp_path, *counts))
    with pytest.raises(WrongMutantError, match="no report"):
        outcome(tmp_path / "none.xml")


def test_what_was_found_is_kept_for_the_same_tree_only(tmp_path: Path) -> None:
    """A run goes on where it was interrupted, and anew where a file has changed."""
    path = tmp_path / "build" / "journal.jsonl"
    Journal(path, "tree").put("a", red=True)
    assert Journal(path, "tree").get("a") is True
    assert Journal(path, "tree").get("b") is None
    assert Journal(path, "other").get("a") is None
