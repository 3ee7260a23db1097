"""``stop_workflow``: why the execution ends."""

from app.actions.base import StopRequest
from tests.support.commands import failure_of, prepared, wrong_paths


def test_the_reason_is_rendered() -> None:
    """The reason says why in the log; it may be left out."""
    assert prepared("stop_workflow", {"reason": "total {{ order.total }}"}) == StopRequest("total 199.00")
    assert prepared("stop_workflow", {}) == StopRequest("")


def test_a_reason_out_of_bounds_fails() -> None:
    """A reason is one line of at most 500 characters."""
    assert failure_of("stop_workflow", {"reason": "{{ order.id }}" + "x" * 500}).startswith("reason: ")
    assert wrong_paths("stop_workflow", {"reason": None}) == ["config.reason"]
