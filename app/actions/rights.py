"""What actions need of the workflow's owner: where they leave the entity of their own event, or write to others."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from app.actions.base import ActionContext
from app.actions.over_http import ON_THE_CRM
from app.actions.templated import is_constant
from app.domain.callers import Caller
from app.domain.needs import Need

_CUSTOMER_FIELDS: Final = ("customer_id", "conversation_id")


def changing_customer(customer_id: str | None, context: ActionContext) -> Need | None:
    """Return what changing a customer needs: nothing, where it is the event's own entity."""
    if customer_id is not None and customer_id == context.own_entity:
        return None
    return Need("crm:write", "customer_id", "is not the event's own entity")


def assigning(conversation_id: str, customer_id: str | None, context: ActionContext) -> Need | None:
    """Return what assigning a conversation needs: nothing, where it is the event's own, and no other customer's."""
    conversation = context.scope.get("conversation")
    named = conversation.get("id") if isinstance(conversation, Mapping) else None
    own = {context.own_entity} if named is None else {context.own_entity, str(named)}
    if context.own_entity is None or conversation_id not in own:
        return Need("crm:write", "conversation_id", "is not the event's own conversation")
    return None if customer_id is None else changing_customer(customer_id, context)


def notifying(user: UUID | None, context: ActionContext) -> Need | None:
    """Return what putting something into an inbox needs: nothing, where it is the owner's."""
    if user is None or user == context.use.owner:
        return None
    return Need("messages:any", "user", "is another user's inbox")


def lacking_as_written(caller: Caller, owner: UUID, action_type: str, config: Mapping[str, Any]) -> list[Need]:
    """Return what a config needs for certain, before it has run, and the caller does not have."""
    needs: list[Need] = []
    if action_type in ON_THE_CRM:
        constant = (name for name in _CUSTOMER_FIELDS if _is_constant(config.get(name)))
        needs = [Need("crm:write", name, "names one for every event") for name in constant]
    user = config.get("user")
    if action_type == "send_notification" and _is_constant(user) and str(user).strip().lower() != str(owner):
        needs = [Need("messages:any", "user", "is another user's inbox")]
    return [need for need in needs if not caller.may(need.permission)]


def _is_constant(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != "" and is_constant(value)
