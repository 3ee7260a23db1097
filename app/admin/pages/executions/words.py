"""What is said of executions elsewhere, as a person reads it: where they stand, and what they wait for."""

from typing import Final

from app.actions.error_words import error_in_words
from app.actions.step_words import type_title
from app.ports.executions import WaitingExecution

_WHY: Final = {
    "delay": "the workflow says so",
    "retry": "the next attempt at a step that failed",
    "circuit": "the system that it needs is left alone for a while, because it failed",
    "quota": "its owner's workflows run more often than they may",
}


def where_it_stands(one: WaitingExecution) -> str:
    """Say at which step an execution waits, and what comes then."""
    next_does = type_title(one.next_action) if one.next_action else None
    if one.kind == "delay":
        then = f"then step {one.step + 2}: {next_does}" if next_does else "then it ends"
        return f"Step {one.step + 1}: Wait, {then}"
    return f"Step {one.step + 1}: {next_does}" if next_does else f"Step {one.step + 1}"


def why_it_waits(one: WaitingExecution) -> str:
    """Say what an execution waits for; the log's own words where they tell more."""
    if one.kind == "delay" or not one.reason:
        return _WHY[one.kind]
    return f"{_WHY[one.kind]}: {error_in_words(one.next_action or '', one.reason)}"
