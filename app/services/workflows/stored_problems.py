"""What keeps a stored workflow from running: SQL and older programs store what saving through the API refuses."""

from collections.abc import Iterable

from app.actions.registry import REGISTRY
from app.domain.conditions import compile_conditions
from app.domain.errors import FieldError, InvalidError
from app.domain.reentry import parse_reentry
from app.domain.triggers import check_trigger
from schemas.workflow import Action, Workflow


def unmatchable(workflow: Workflow) -> list[FieldError]:
    """Return why matchers cannot run a workflow, by field; they compile it by these same rules."""
    errors = [FieldError(one.path, one.message) for one in workflow.unreadable]
    try:
        parse_reentry(workflow.reentry)
    except ValueError as error:
        errors.append(FieldError("reentry", str(error)))
    try:
        check_trigger(workflow.trigger.config)
    except ValueError as error:
        errors.append(FieldError("trigger.config", str(error)))
    try:
        compile_conditions(workflow.conditions, "conditions", stored=True)
    except InvalidError as error:
        errors += error.errors
    return errors


def unknown_actions(actions: Iterable[Action]) -> list[FieldError]:
    """Return which actions are of types that do not exist."""
    known = ", ".join(REGISTRY.names())
    return [
        FieldError(f"actions[{position}].type", f"no such action type; there are {known}")
        for position, action in enumerate(actions)
        if REGISTRY.find(action.type) is None
    ]
