"""Drafts: reading a workflow as a user wrote it, with every wrong field named at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from app.domain.conditions import ConditionError, CurrentFields, compile_conditions
from app.domain.errors import FieldError, InvalidError
from app.domain.nearest import meant
from app.ports.workflows import ConfigCheck
from app.services.access.cpu_budget import breathe
from schemas.field_errors import field_errors, under
from schemas.json_types import validated
from schemas.trigger_configs import trigger_config
from schemas.workflow import MAX_ACTIONS, WorkflowDraft

MAX_CONDITIONS: Final = 100


@dataclass(frozen=True, slots=True)
class DraftReader:
    """Reads drafts.

    Attributes:
        action_types: The types there are.
        check_config: Checks one action's config.
    """

    action_types: Collection[str]
    check_config: ConfigCheck

    async def read(self, raw: Any) -> WorkflowDraft:
        """Check a draft; other requests get a turn between its actions.

        Raises:
            CpuSpentError: The caller has no CPU left.
            InvalidError: Something is wrong; every wrong field is in it, those of the wrong shape first.
        """
        draft, errors = _shape(raw)
        if isinstance(raw, Mapping):
            errors += await self._meaning(raw, shaped={error.path for error in errors})
        if errors or draft is None:
            raise InvalidError(errors)
        return draft

    async def _meaning(self, raw: Mapping[str, Any], shaped: Collection[str]) -> list[FieldError]:
        errors = self._conditions(raw.get("conditions"), "conditions", "refused")
        trigger = raw.get("trigger")
        if isinstance(trigger, Mapping) and isinstance(trigger.get("config", {}), Mapping):
            errors += _trigger_config(str(trigger.get("type")), trigger.get("config", {}))
        actions = raw.get("actions")
        for position, action in enumerate(actions[:MAX_ACTIONS] if isinstance(actions, list) else ()):
            if isinstance(action, Mapping):
                await breathe()
                errors += self._action(action, f"actions[{position}]")
        return [error for error in errors if error.path not in shaped]

    def _action(self, action: Mapping[str, Any], path: str) -> list[FieldError]:
        errors = self._conditions(action.get("conditions"), f"{path}.conditions", "read")
        action_type, config = action.get("type"), action.get("config", {})
        if not isinstance(action_type, str) or not action_type:
            return errors
        if action_type not in self.action_types:
            known = ", ".join(self.action_types)
            return [
                FieldError(
                    f"{path}.type",
                    f"no such action type{meant(action_type, self.action_types) or ';'} there are {known}",
                ),
                *errors,
            ]
        if not isinstance(config, dict):
            return errors
        return [*self.check_config(action_type, config, f"{path}.config"), *errors]

    def _conditions(self, conditions: Any, path: str, current: CurrentFields) -> list[FieldError]:
        if not isinstance(conditions, list) or len(conditions) > MAX_CONDITIONS:
            return []
        return condition_errors(conditions, path, current)


def _trigger_config(event_type: str, config: Mapping[str, Any]) -> list[FieldError]:
    model = trigger_config(event_type)
    try:
        validated(config, model)
    except ValidationError as error:
        return under("trigger.config", field_errors(error, model))
    return []


def condition_errors(conditions: Sequence[Any], path: str, current: CurrentFields) -> list[FieldError]:
    """Return all that is wrong with the conditions of a list; paths begin with ``path``."""
    try:
        compile_conditions(conditions, path, current=current)
    except ConditionError as error:
        return error.errors
    return []


def _shape(raw: Any) -> tuple[WorkflowDraft | None, list[FieldError]]:
    try:
        return validated(raw, WorkflowDraft), []
    except ValidationError as error:
        return None, field_errors(error, WorkflowDraft)


def merge_patch(target: Any, patch: Any, model: type[BaseModel] | None = None) -> Any:
    """Apply a JSON merge patch (RFC 7396): objects merge, null removes, anything else replaces.

    Args:
        target: What is patched.
        patch: The patch.
        model: What ``target`` is one of. A null for what is no field of it stays, for the model to refuse: a misspelt
            name would remove nothing, and nobody would be told.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None and model is not None and key not in model.model_fields:
            merged[key] = None
        elif value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
