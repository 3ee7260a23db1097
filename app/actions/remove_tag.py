"""``remove_tag``: take a tag off a customer; a tag the customer does not have is a success too."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from app.actions.base import ActionConfig, ActionContext, CompiledConfig, TransactionalAction
from app.actions.constants import judged_on_save
from app.actions.customer_field import CustomerId
from app.actions.rights import changing_customer
from app.actions.shown import Shown, form
from app.actions.templated import Templated
from app.actions.values import customer_id, tag
from app.domain.needs import Need
from app.ports import Crm, TagRequest


class RemoveTagConfig(ActionConfig):
    """Which tag, off whom."""

    model_config = form(
        "Take a tag off the customer",
        "Takes a mark away again. A tag that is not there is no mistake.",
        icon="untag",
        family="Customer",
        summary=("“{tag}”",),
    )

    tag: Annotated[
        str,
        Templated(),
        Shown("Tag", "The tag that the customer loses.", "line", example="VIP"),
        Field(min_length=1, description="The tag, at most 100 characters once rendered"),
        judged_on_save(tag),
    ]
    customer_id: CustomerId = "{{ customer.id }}"


class RemoveTag(TransactionalAction[RemoveTagConfig, TagRequest]):
    """Takes a tag off a customer; output ``{tag, removed}``, ``removed`` false where it was not there."""

    name = "remove_tag"
    family = "crm"
    config = RemoveTagConfig

    def prepare(self, config: CompiledConfig[RemoveTagConfig], context: ActionContext) -> TagRequest:
        """Render and check the tag and the customer."""
        fields = config.render(context.scope)
        return TagRequest(customer_id("customer_id", fields["customer_id"]), tag("tag", fields["tag"]), context.origin)

    def needs(self, request: TagRequest, context: ActionContext) -> Need | None:
        """Return what changing that customer needs."""
        return changing_customer(request.customer_id, context)

    async def perform_all(self, requests: Sequence[TagRequest], crm: Crm) -> list[dict[str, Any]]:
        """Remove a batch of tags."""
        removed = await crm.remove_tags(requests)
        return [{"tag": request.tag, "removed": had} for request, had in zip(requests, removed, strict=True)]
