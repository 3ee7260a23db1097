"""A run that is broken off goes on where it was, and never with what another product came to."""

from pathlib import Path

import pytest

from tests.faults.judge import Verdict
from tests.faults.report import Report, line, product


def written(path: Path, *verdicts: Verdict, tree: str = "a", not_run: dict[str, str] | None = None) -> None:
    """Write what an earlier run has left."""
    report = Report(path, tree, not_run=not_run or {})
    report.add(verdicts)
    report.write()


def test_what_is_done_is_not_run_again(tmp_path: Path) -> None:
    """Each scenario with each seed by itself, and only where it was good."""
    path = tmp_path / "build" / "faults.json"
    written(path, Verdict("kills", 1, rows=7), Verdict("kills", 2, lost=1))
    report = Report.of(path, "a")
    assert report.done("kills", 1)
    assert not report.done("kills", 2)
    assert not report.done("freeze", 1)
    assert report.verdicts["kills", 1].rows == 7
    assert not report.good_of({"kills"})
    assert report.good_of({"freeze"})


def test_a_run_of_another_product_is_forgotten(tmp_path: Path) -> None:
    """It says nothing of this one."""
    path = tmp_path / "faults.json"
    written(path, Verdict("kills", 1))
    assert Report.of(path, "b").verdicts == {}


def test_without_a_file_nothing_is_done(tmp_path: Path) -> None:
    """The first run."""
    assert Report.of(tmp_path / "faults.json", "a").verdicts == {}


def test_what_is_run_again_takes_the_place_of_what_was(tmp_path: Path) -> None:
    """A fault that is mended is none."""
    report = Report(tmp_path / "faults.json", "a")
    report.add([Verdict("kills", 1, lost=1)])
    report.add([Verdict("kills", 1)])
    assert report.good_of({"kills"})


def test_what_could_not_be_run_is_not_shown_to_hold(tmp_path: Path) -> None:
    """It is in the file by name, with what it needs, and is looked for anew the next time."""
    path = tmp_path / "faults.json"
    written(path, Verdict("kills", 1), not_run={"clock-jump": "cc"})
    assert b"cc" in path.read_bytes()
    report = Report.of(path, "a")
    assert not report.done("clock-jump", 1)
    report.not_run["clock-jump"] = "cc"
    assert not report.good_of({"kills", "clock-jump"})
    assert report.good_of({"kills"})


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict("marked", 1, duplicated_marked=3, uncertain=3), "good"),
        (Verdict("lost", 1, lost=1), "BAD"),
        (Verdict("unmarked", 1, duplicated_unmarked=1), "BAD"),
        (Verdict("disordered", 1, disordered=1), "BAD"),
        (Verdict("unordered", 1, disordered=1, ordered=False), "good (no order promised)"),
        (Verdict("late", 1, wrong=["late"]), "BAD"),
    ],
    ids=str,
)
def test_a_line_says_whether_the_promise_held(verdict: Verdict, said: str) -> None:
    """Twice is only good where it is marked, out of order where no order is promised."""
    assert verdict.good is said.startswith("good")
    assert line(verdict).endswith(said)


def test_the_product_has_one_state() -> None:
    """The same as long as none of its files changes."""
    assert product() == product()
