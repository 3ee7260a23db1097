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
    assert conclude(steps) == status
