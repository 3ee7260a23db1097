"""What executors count of one action type's steps; what ``labels()`` returns is held, as it is asked for every time."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from app.metrics.executor import ACTIONS, DROPPED, MATCH_TO_STEP, RETRIES, STEP, UNCERTAIN
from schemas.command import Command
from schemas.result import ActionResult


class StepMetrics:
    """Counts for one action type.

    Attributes:
        retries: Attempts that another follows.
        seconds: How long steps take.
        duplicates: Copies of commands whose step was done before.
    """

    def __init__(self, action_type: str) -> None:
        self._outcomes = {status: ACTIONS.labels(action_type, status) for status in ("success", "failed", "skipped")}
        self._retried = ACTIONS.labels(action_type, "retried")
        self._uncertain = UNCERTAIN.labels(action_type)
        self.retries = RETRIES.labels(action_type)
        self.seconds = STEP.labels(action_type)
        self.duplicates = DROPPED.labels("duplicate")

    def ended(self, result: ActionResult) -> None:
        """Count a step that came to an end here."""
        self._outcomes[result.status].inc()
        if result.uncertain:
            self._uncertain.inc()

    def retried(self) -> None:
        """Count an attempt that another follows."""
        self._retried.inc()
        self.retries.inc()

    def taken(self, commands: Iterable[Command], now: datetime | None = None) -> None:
        """Observe how long after matching first steps are taken in hand; those that waited for a reason are not."""
        waits = [
            ((now or datetime.now(UTC)) - command.matched_at).total_seconds()
            for command in commands
            if command.step == 0 and command.event_at is not None and command.parked == 0
        ]
        if waits:
            MATCH_TO_STEP.observe_all(max(0.0, wait) for wait in waits)


def is_unmarked(stored: Mapping[str, Any]) -> bool:
    """Tell whether another worker's result does not say that its effect may have happened twice."""
    return not stored.get("uncertain", False)
