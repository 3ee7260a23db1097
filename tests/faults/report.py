"""What runs came to: a file that a broken-off run goes on with, and a table."""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from tests.faults.judge import Verdict
from tests.mutants.tree import ROOT, fingerprint

_PRODUCT: Final = ("app", "agents", "tables", "schemas")
_HEAD: Final = (
    "scenario           seed  kills  changes  expected    rows  lost  twice, marked  twice, unmarked  uncertain"
    "  disordered  recovery s  slowest s\n"
)


def product() -> str:
    """Return what changes when the product does."""
    return hashlib.sha256("".join(fingerprint(ROOT / name) for name in _PRODUCT).encode()).hexdigest()


@dataclass(slots=True)
class Report:
    """The verdicts of one state of the product, in a file.

    Attributes:
        verdicts: By scenario and seed.
        not_run: Scenarios that could not be run here, and what they need.
    """

    path: Path
    tree: str
    verdicts: dict[tuple[str, int], Verdict] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path, tree: str) -> "Report":
        """Return what an earlier run of the same product has left, or an empty one."""
        report = cls(path, tree)
        found = orjson.loads(path.read_bytes()) if path.exists() else {}
        if found.get("tree") == tree:
            report.add(Verdict(**entry) for entry in found["faults"])
        return report

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Take verdicts in, each in place of an earlier one of its scenario and seed."""
        for verdict in verdicts:
            self.verdicts[verdict.name, verdict.seed] = verdict

    def done(self, name: str, seed: int) -> bool:
        """Tell whether a scenario has come to a good end with a seed."""
        found = self.verdicts.get((name, seed))
        return found is not None and found.good

    def good_of(self, names: AbstractSet[str]) -> bool:
        """Tell whether scenarios could all be run, and the promise held in each."""
        judged = [one for one in self.verdicts.values() if one.name in names]
        return not names & self.not_run.keys() and all(one.good for one in judged)

    def write(self) -> None:
        """Write the file; after every scenario, so that a run that is broken off loses nothing."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        entries = [one.as_json() for one in self.verdicts.values()]
        content: Mapping[str, Any] = {"tree": self.tree, "faults": entries, "not_run": self.not_run}
        self.path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def show_head() -> None:
    """Print the table's head."""
    sys.stdout.write(_HEAD)
    sys.stdout.flush()


def line(verdict: Verdict) -> str:
    """Return one line of the table."""
    unordered = "" if verdict.ordered or not verdict.disordered else " (no order promised)"
    return (
        f"{verdict.name:<18}{verdict.seed:>5}{verdict.kills:>7}{verdict.changes:>9}{verdict.expected:>10}"
        f"{verdict.rows:>8}{verdict.lost:>6}{verdict.duplicated_marked:>15}{verdict.duplicated_unmarked:>17}"
        f"{verdict.uncertain:>11}{verdict.disordered:>12}{verdict.recovery_s:>12.1f}{verdict.slowest_s:>11.1f}"
        f"  {'good' if verdict.good else 'BAD'}{unordered}"
    )


def show(verdict: Verdict) -> None:
    """Print one line of the table, and what is wrong below it."""
    sys.stdout.write(f"{line(verdict)}\n")
    for what in verdict.wrong:
        sys.stdout.write(f"    {what[:300]}\n")
    sys.stdout.flush()
