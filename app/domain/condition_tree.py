"""The compiled tree of a condition list: leaves that compare one field, and groups that join them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from app.domain.paths import MISSING, Path
from app.domain.profiles import CURRENT_ROOT
from app.domain.reasons import Comparison
from app.domain.values import shown
from app.domain.verdicts import Scope, Verdict


class Node(Protocol):
    """A leaf or a group."""

    def holds(self, scope: Scope, verdicts: list[Verdict]) -> bool:
        """Evaluate all below, append the verdicts, and say whether it holds."""
        ...


class Leaf:
    """One condition."""

    __slots__ = ("_at", "_comparison", "_expected", "_field", "_look_up", "_negative", "_operator")

    def __init__(
        self, path: Path, operator: str, value: Any, comparison: Comparison, *, negative: bool, at: str
    ) -> None:
        self._field = path.text
        self._look_up = _look_up(path)
        self._operator = operator
        self._expected = shown(value)
        self._comparison = comparison
        self._negative = negative
        self._at = at

    def holds(self, scope: Scope, verdicts: list[Verdict]) -> bool:
        """Compare the field's value."""
        actual = self._look_up(scope)
        positive, reason = self._comparison(actual, scope.now)
        met = positive is not self._negative
        seen = None if actual is MISSING else shown(actual)
        verdicts.append(Verdict(self._field, self._operator, self._expected, seen, met, reason, self._at))
        return met


class Group:
    """Nodes joined by logic: some run of them holds if all of its members do; ``not`` turns that round.

    Args:
        name: ``all``, ``any`` or ``not``.
        at: Where it is in the tree; empty for the list itself, which gets no verdict.
        runs: The OR of runs of AND. No run at all never holds, an empty run always does.
    """

    __slots__ = ("_at", "_name", "_runs")

    def __init__(self, name: str, at: str, runs: tuple[tuple[Node, ...], ...]) -> None:
        self._name = name
        self._at = at
        self._runs = runs

    @property
    def empty(self) -> bool:
        """Whether it has no member at all."""
        return not any(self._runs)

    def holds(self, scope: Scope, verdicts: list[Verdict]) -> bool:
        """Evaluate every member, then join."""
        met, members, held = False, 0, 0
        for run in self._runs:
            # A list, not a generator: nothing is cut short, so that every member has its verdict.
            outcomes = [node.holds(scope, verdicts) for node in run]
            met |= all(outcomes)
            members += len(outcomes)
            held += sum(outcomes)
        if self._name == "not":
            met = not met
        if self._at:
            reason = f"{held} of {members} hold"
            verdicts.append(Verdict(self._at, self._name, None, None, met, reason, self._at))
        return met


def _look_up(path: Path) -> Callable[[Scope], Any]:
    """Make the function that finds the field: below the envelope, what is current, the earlier results, or the data."""
    rest = path.rest
    if path.root == "event":
        return lambda scope: rest.resolve(scope.event)
    if path.root == CURRENT_ROOT:
        return lambda scope: path.resolve(scope.data) if scope.current is None else rest.resolve(scope.current)
    if path.root == "results":
        return lambda scope: path.resolve(scope.data) if scope.results is None else rest.resolve(scope.results)
    return lambda scope: path.resolve(scope.data)
