"""What is said of executions elsewhere, as a person reads it: steps counted from 1, and by what they do."""

import re
from typing import Final

from app.actions.step_words import step_title
from app.ports.executions import WaitingExecution

_STEP: Final = re.compile(r"\bstep (\d{1,2}) \(([a-z_]+)\)")
_BROKE_OFF: Final = re.compile(r"\bnot run, because step (\d{1,2}) failed and its on_error is stop\b")
_WHY: Final = {
    "delay": "the workflow says so",
    "retry": "the next attempt at a step that failed",
    "circuit": "the system that it needs is left alone for a while, because it failed",
    "quota": "its owner's workflows run more often than they may",
}


def in_person_words(text: str) -> str:
    """Say a sentence of the log to a person: ``step 0 (send_email)`` is step 1, which sends an e-mail."""
    said = _BROKE_OFF.sub(
        lambda found: f"not carried out, because step {int(found[1]) + 1} failed and the workflow ends there", text
    )
    said = _STEP.sub(lambda found: f"step {int(found[1]) + 1} ({action_in_words(found[2])})", said)
    return said[:1].upper() + said[1:]


def action_in_words(action_type: str) -> str:
    """Say what a type of action does."""
    return step_title({"type": action_type})


def where_it_stands(one: WaitingExecution) -> str:
    """Say at which step an execution waits, and what comes then."""
    next_does = action_in_words(one.next_action) if one.next_action else None
    if one.kind == "delay":
        then = f"then step {one.step + 2}: {next_does}" if next_does else "then it ends"
        return f"Step {one.step + 1}: Wait, {then}"
    return f"Step {one.step + 1}: {next_does}" if next_does else f"Step {one.step + 1}"


def why_it_waits(one: WaitingExecution) -> str:
    """Say what an execution waits for; the log's own words where they tell more."""
    return _WHY[one.kind] if one.kind == "delay" or not one.reason else f"{_WHY[one.kind]}: {one.reason}"
