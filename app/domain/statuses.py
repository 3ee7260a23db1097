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


def conclude(statuses: Iterable[str], *, stopped: bool = False, broken_off: bool = False) -> ExecutionStatus:
    """Derive an execution's status from its steps'.

    Args:
        statuses: Each step's status, in order; steps that were skipped count neither way.
        stopped: ``stop_workflow`` ended it early.
        broken_off: A step that failed ended it early (``on_error: stop``): it is failed, even if others succeeded.
    """
    if stopped:
        return ExecutionStatus.STOPPED
    if broken_off:
        return ExecutionStatus.FAILED
    ran = [status for status in statuses if status != ActionStatus.SKIPPED]
    failed = sum(status == ActionStatus.FAILED for status in ran)
    if not failed:
        return ExecutionStatus.SUCCESS
    return ExecutionStatus.FAILED if failed == len(ran) else ExecutionStatus.PARTIAL


def left_out(step: int) -> str:
    """Say why what comes after a step was not run, where it failed and so ended the execution."""
    return f"not run, because step {step} failed and its on_error is stop"
