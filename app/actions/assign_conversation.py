"""``assign_conversation``: give a conversation to an assignee; to one who has it already is a success too."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final

from pydantic import Field

from app.actions.base import ActionConfig, ActionContext, CompiledConfig, TransactionalAction
from app.actions.constants import judged_on_save
from app.actions.rights import assigning
from app.actions.shown import Shown, form
from app.actions.templated import Templated
from app.actions.values import MAX_ASSIGNEE_CHARS, MAX_CUSTOMER_ID_CHARS, filled_line, optional_line
from app.domain.needs import Need
from app.ports import AssignmentRequest, Crm

MAX_CONVERSATION_ID_CHARS: Final = 256


class AssignConversationConfig(ActionConfig):
    """Which conversation, to whom."""

    model_config = form(
        "Assign the conversation",
        "Gives a customer's conversation to a colleague.",
        icon="assign",
        family="Work",
        summary=("to {assignee}",),
    )

    assignee: Annotated[
        str,
        Templated(),
        Shown("Who takes it", "A colleague's e-mail or name.", "line", example="kim@shop.example"),
        Field(min_length=1, description="Who takes it, at most 256 characters"),
        judged_on_save(partial(filled_line, max_chars=MAX_ASSIGNEE_CHARS)),
    ]
    conversation_id: Annotated[
        str,
        Templated(),
        Shown("Conversation", "Its id. Leave it as it is for the one that the event is about.", "line", more=True),
        Field(min_length=1, description="By default the event's"),
        judged_on_save(partial(filled_line, max_chars=MAX_CONVERSATION_ID_CHARS)),
    ] = "{{ conversation.id }}"
    customer_id: Annotated[
        str | None,
        Templated(),
        Shown("Customer", "Whose conversation it is, where that is not known yet.", "line", more=True),
        Field(description="Whose it is, if it is not known yet"),
        judged_on_save(partial(optional_line, max_chars=MAX_CUSTOMER_ID_CHARS)),
    ] = "{{ customer.id | default('') }}"


class AssignConversation(TransactionalAction[AssignConversationConfig, AssignmentRequest]):
    """Assigns a conversation; output ``{conversation_id, assignee, assigned}``, the last false where it was so."""

    name = "assign_conversation"
    family = "workflow"
    config = AssignConversationConfig

    def prepare(self, config: CompiledConfig[AssignConversationConfig], context: ActionContext) -> AssignmentRequest:
        """Render and check."""
        fields = config.render(context.scope)
        return AssignmentRequest(
            conversation_id=filled_line(
                "conversation_id", fields["conversation_id"], max_chars=MAX_CONVERSATION_ID_CHARS
            ),
            customer_id=optional_line("customer_id", fields["customer_id"], max_chars=MAX_CUSTOMER_ID_CHARS),
            assignee=filled_line("assignee", fields["assignee"], max_chars=MAX_ASSIGNEE_CHARS),
        )

    def needs(self, request: AssignmentRequest, context: ActionContext) -> Need | None:
        """Return what assigning that conversation needs."""
        return assigning(request.conversation_id, request.customer_id, context)

    async def perform_all(self, requests: Sequence[AssignmentRequest], crm: Crm) -> list[dict[str, Any]]:
        """Assign a batch of conversations."""
        assigned = await crm.assign_conversations(requests)
        return [
            {"conversation_id": request.conversation_id, "assignee": request.assignee, "assigned": new}
            for request, new in zip(requests, assigned, strict=True)
        ]
