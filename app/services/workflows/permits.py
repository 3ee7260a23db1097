"""What of a workflow its caller may not have it do, as far as that is known when it is saved."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.actions.rights import lacking_as_written
from app.domain.callers import Caller
from app.domain.errors import FieldError, NotPermittedError
from schemas.workflow import Action, Trigger


def refuse_unpermitted(caller: Caller, owner: UUID, trigger: Trigger, actions: Sequence[Action]) -> None:
    """Refuse an audience, a customer or an inbox that the caller has no permission for.

    What templates and events name is known when a step runs, and judged then by what the owner may.

    Raises:
        NotPermittedError: Something needs a permission that the caller lacks; every such field is named.
    """
    errors = [] if caller.may("crm:read") else _audience(trigger.config)
    for position, action in enumerate(actions):
        for need in lacking_as_written(caller, owner, action.type, action.config):
            path = f"actions[{position}].config.{need.field}"
            errors.append(FieldError(path, f"{need.why}; it needs the permission {need.permission}"))
    if errors:
        raise NotPermittedError(errors)


def _audience(config: dict[str, Any]) -> list[FieldError]:
    if config.get("audience") is None:
        return []
    return [FieldError("trigger.config.audience", "looks at all customers; it needs the permission crm:read")]
