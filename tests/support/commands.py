"""What actions see: a context around event data, and a config compiled and prepared as the executor does it."""

from typing import Any, Final
from uuid import UUID

import pytest

from app.actions.base import ActionContext
from app.actions.configs import compile_action, validate_config
from app.domain.causation import Link
from app.domain.errors import ActionFailedError

COMMAND_ID: Final = UUID("6f1c2f0e-3c6b-5d07-9a43-0d8d0b7f3a11")
DATA: Final[dict[str, Any]] = {
    "customer": {"id": "c-1", "name": "Ada <b>", "email": "ada@customers.example", "age": 36},
    "order": {"id": 42, "total": "199.00", "items": [{"sku": "a"}, {"sku": "b"}]},
}


def context_of(data: dict[str, Any] | None = None, *, timeout: float = 5.0, **secrets: str) -> ActionContext:
    """Return the context of one command; ``data`` replaces the event's data, the rest are secrets."""
    given = DATA if data is None else data
    event = {"specversion": "1.0", "id": "e-1", "source": "/shop", "type": "order.created", "data": given}
    link = Link(UUID("3f0e0f7a-0000-4000-8000-000000000001"), UUID("9a4c1d2e-0000-5000-8000-000000000002"))
    workflow = {"id": str(link.workflow_id), "name": "Big orders", "version": 3}
    execution = {"id": str(link.execution_id), "attempt": 1}
    scope = {**given, "event": event, "results": [], "workflow": workflow, "execution": execution}
    if secrets:
        scope["secrets"] = secrets
    return ActionContext(COMMAND_ID, scope, uncertain=False, timeout=timeout, secrets=secrets, link=link)


def prepared(
    action_type: str,
    config: dict[str, Any],
    data: dict[str, Any] | None = None,
    *,
    context: ActionContext | None = None,
) -> Any:
    """Return the request that an action makes of a config, as the executor would."""
    compiled = compile_action(action_type, config)
    return compiled.action.prepare(compiled.config, context or context_of(data))


def failure_of(action_type: str, config: dict[str, Any], data: dict[str, Any] | None = None) -> str:
    """Return why an action refuses what was rendered; the failure must be permanent."""
    with pytest.raises(ActionFailedError) as failure:
        prepared(action_type, config, data)
    assert failure.value.permanent
    assert not failure.value.effect_unknown
    return str(failure.value)


def wrong_paths(action_type: str, config: dict[str, Any]) -> list[str]:
    """Return the paths of what is wrong with a config as it is saved."""
    return [error.path for error in validate_config(action_type, config)]
