"""``apply_tag``: put a tag on a customer, once; a tag the customer already has is a success too."""

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


class ApplyTagConfig(ActionConfig):
    """Which tag, on whom."""

    model_config = form(
        "Put a tag on the customer",
        "Marks customers, so that you find them again. A tag that is there already stays.",
        icon="tag",
        family="Customer",
        summary=("“{tag}”",),
    )

    tag: Annotated[
        str,
        Templated(),
        Shown("Tag", "The tag that the customer gets.", "line", example="VIP"),
        Field(min_length=1, description="The tag, at most 100 characters once rendered"),
        judged_on_save(tag),
    ]
    customer_id: CustomerId = "{{ customer.id }}"


class ApplyTag(TransactionalAction[ApplyTagConfig, TagRequest]):
    """Puts a tag on a customer; output ``{tag, applied}``, ``applied`` false where it was there already."""

    name = "apply_tag"
    family = "crm"
    config = ApplyTagConfig

    def prepare(self, config: CompiledConfig[ApplyTagConfig], context: ActionContext) -> TagRequest:
        """Render and check the tag and the customer."""
        fields = config.render(context.scope)
        return TagRequest(
            customer_id=customer_id("customer_id", fields["customer_id"]),
            tag=tag("tag", fields["tag"]),
            origin=context.origin,
        )

    def needs(self, request: TagRequest, context: ActionContext) -> Need | None:
        """Return what changing that customer needs."""
        return changing_customer(request.customer_id, context)

    async def perform_all(self, requests: Sequence[TagRequest], crm: Crm) -> list[dict[str, Any]]:
        """Apply a batch of tags."""
        applied = await crm.apply_tags(requests)
        return [{"tag": request.tag, "applied": new} for request, new in zip(requests, applied, strict=True)]
