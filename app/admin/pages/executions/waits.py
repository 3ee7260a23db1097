"""How long an execution stood still before each of its steps, from what the log has of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from app.ports.executions import ExecutionDetail

# Below that it is how long records take from one process to the next.
_WORTH_SAYING_MS: Final = 1000.0


def waits_of(one: ExecutionDetail) -> Iterator[float]:
    """Yield for each step how many milliseconds it waited, beside its own attempts and the delays before it.

    It may have waited before the first attempt or between two: the log has only how long its attempts took together. 0
    where that is not worth saying, and for steps that an earlier attempt at the execution carried out.
    """
    free = _begin(one)
    for result in one.results:
        began = result.executed_at - timedelta(milliseconds=result.duration_ms)
        waited = (began - free) / timedelta(milliseconds=1)
        yield waited if waited >= _WORTH_SAYING_MS else 0.0
        free = max(free, result.executed_at, result.resume_at or result.executed_at)


def _begin(one: ExecutionDetail) -> datetime:
    """Return when this attempt at the execution began."""
    if one.attempt == 1 or not one.results:
        return one.executed_at
    # The log has when the event was matched. A retry ends with its last step.
    return max(result.executed_at for result in one.results) - timedelta(milliseconds=one.duration_ms or 0)
