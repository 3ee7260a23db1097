"""What conditions see, and what their evaluation answers: a verdict for every condition, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Scope:
    """What conditions see.

    Attributes:
        data: The event's data.
        event: The event's envelope.
        now: The aware time that relative times count from.
        results: Outputs of the earlier steps; None outside of an action's own conditions.
        current: The customer and the order as they are now; None where they were not looked up.
    """

    data: Any
    event: Mapping[str, Any]
    now: datetime
    results: Any = None
    current: Any = None


class Verdict(NamedTuple):
    """How one condition, or one group, came out. A tuple, because thousands are made each second.

    Attributes:
        path: The condition's field; of a group, where it is (``[1].all[0]``).
        operator: The condition's operator; of a group ``all``, ``any`` or ``not``.
        expected: The condition's value, at most 1 KiB of it.
        actual: The field's value, at most 1 KiB of it; None if the field is missing.
        met: Whether it holds.
        reason: Why, in a few words.
        at: Where in the tree a condition inside of a group is; empty at the top level.
    """

    path: str
    operator: str
    expected: Any
    actual: Any
    met: bool
    reason: str
    at: str = ""

    def as_json(self) -> dict[str, Any]:
        """The verdict as the log's ``conditions_result`` holds it; ``at`` only where there is one."""
        verdict = {
            "path": self.path,
            "operator": self.operator,
            "expected": self.expected,
            "actual": self.actual,
            "met": self.met,
            "reason": self.reason,
        }
        if self.at:
            verdict["at"] = self.at
        return verdict


class Evaluation(NamedTuple):
    """The outcome of a condition list, with a verdict for every condition, and after its members for every group."""

    met: bool
    verdicts: list[Verdict]
