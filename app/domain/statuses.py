"""How actions and executions can end (docs/design.md#54-outcomes), and how the one follows from the other."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class ActionStatus(StrEnum):
    """How one step ended."""

    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"


class ExecutionStatus(StrEnum):
    """How an execution ended."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"
    STOPPED = "stopped"
    BLOCKED = "blocked"
    TIMED_OUT = "timed_out"


RETRYABLE: Final = frozenset({ExecutionStatus.FAILED, ExecutionStatus.PARTIAL, ExecutionStatus.TIMED_OUT})


def conclude(statuses: Iterable[str]) -> ExecutionStatus:
    """Derive the status of an execution that came to its end from its steps'; skipped ones count neither way."""
    ran = [status for status in statuses if status != ActionStatus.SKIPPED]
    failed = sum(status == ActionStatus.FAILED for status in ran)
    if not failed:
        return ExecutionStatus.SUCCESS
    return ExecutionStatus.FAILED if failed == len(ran) else ExecutionStatus.PARTIAL
