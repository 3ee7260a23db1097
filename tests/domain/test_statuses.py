"""How an execution's status follows from its steps'."""

import pytest

from app.domain.statuses import conclude


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([], "success"),
        (["success"], "success"),
        (["skipped"], "success"),
        (["success", "skipped"], "success"),
        (["success", "failed"], "partial"),
        (["failed", "skipped"], "failed"),
        (["failed", "failed"], "failed"),
    ],
)
def test_the_status_is_success_partial_or_failed(steps: list[str], status: str) -> None:
    """Skipped steps count neither way; failed means that every step that ran did."""
    assert conclude(steps, stopped=False) == status


def test_stopped_wins() -> None:
    """stop_workflow decides, whatever the steps before it came to."""
    assert conclude(["failed", "success"], stopped=True) == "stopped"


def test_broken_off_is_failed() -> None:
    """A step that failed and ended it (on_error stop) decides, whatever had succeeded before it."""
    assert conclude(["success", "failed", "skipped"], broken_off=True) == "failed"
