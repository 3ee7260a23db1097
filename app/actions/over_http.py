"""Actions on the CRM, where that is the user's own: the same actions, as effects outside (docs/design.md#4-receipts).

In our own Postgres effect and receipt are one transaction. Over HTTP the command is claimed with a lease, tried, and
its result stored; the command id goes along as ``Idempotency-Key``, so that the CRM can tell a repetition.
"""

from collections.abc import Callable
from typing import Any, Final

from app.actions.base import ActionContext, AnyAction, CompiledConfig, LeasedAction, Ports, TransactionalAction
from app.domain.needs import Need
from app.ports import Crm

ON_THE_CRM: Final = frozenset(
    {
        "apply_tag",
        "assign_conversation",
        "create_appointment",
        "create_note",
        "create_task",
        "remove_tag",
        "update_customer",
    }
)

CrmOf = Callable[[ActionContext], Crm]


class _OverHttp(LeasedAction[Any, Any]):
    def __init__(self, action: TransactionalAction[Any, Any], crm_of: CrmOf, destination: str) -> None:
        self._action = action
        self._crm_of = crm_of
        self._destination = destination

    def prepare(self, config: CompiledConfig[Any], context: ActionContext) -> Any:
        """Render and check, as the action does."""
        return self._action.prepare(config, context)

    def needs(self, request: Any, context: ActionContext) -> Need | None:
        """Return what the action needs."""
        return self._action.needs(request, context)

    def destination(self, request: Any) -> str:  # noqa: ARG002 - all of them go to the CRM
        """Return whose failures count together: the CRM's host."""
        return self._destination

    async def perform(self, request: Any, ports: Ports, context: ActionContext) -> dict[str, Any]:  # noqa: ARG002 - the CRM is its way out
        """Ask the user's CRM once."""
        (output,) = await self._action.perform_all([request], self._crm_of(context))
        return output


def over_http(action: AnyAction, crm_of: CrmOf, *, destination: str) -> AnyAction:
    """Return an action on the CRM as an outside effect; any other action as it is.

    Args:
        action: Any action.
        crm_of: The user's CRM, for one command: its id is the key, its chain goes along.
        destination: The CRM's host.
    """
    if action.name not in ON_THE_CRM or not isinstance(action, TransactionalAction):
        return action
    named = {"name": action.name, "family": action.family, "config": action.config, "__doc__": action.__doc__}
    kind: type[_OverHttp] = type(f"{type(action).__name__}OverHttp", (_OverHttp,), named)
    return kind(action, crm_of, destination)
